"""What the REST API answers beside JSON. Refusals are JSON all the same."""

from rest_framework.renderers import JSONRenderer


class Csv(JSONRenderer):
    media_type = "text/csv"
    format = "csv"


class Yaml(JSONRenderer):
    media_type = "application/yaml"
    format = "yaml"


class Markdown(JSONRenderer):
    media_type = "text/markdown"
    format = "md"
