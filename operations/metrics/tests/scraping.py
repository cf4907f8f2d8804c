"""What tests ask of a scrape: the value of a metric with these labels."""

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    def __init__(self, text):
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def value(self, name, **labels):
        """Of the only sample that has this name and these labels, perhaps among others."""
        found = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) == 1, f"{len(found)} samples of {name} {labels}"
        return found[0]

    def labels(self, name):
        """All labels that samples of this name have, with their values."""
        return [sample.labels for sample in self.samples if sample.name == name]


def scrape(client):
    response = client.get("/metrics")
    assert response.status_code == 200, response.content
    return Scrape(response.content.decode())
