"""The alert rules of docs/monitoring, and as much of PromQL as they need."""

import operator
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "monitoring"
ALERTS = FOLDER / "alerts.yml"
# One metric with labels, compared with one number: what a rule may be, so that this file can judge.
RULE = re.compile(r"(\w+)(?:\{(.*)\})? (==|>|<) ([\d.]+)")
COMPARED = {"==": operator.eq, ">": operator.gt, "<": operator.lt}


@dataclass
class Rule:
    alert: str
    expr: str
    severity: str
    runbook: str

    @property
    def metric(self):
        return RULE.fullmatch(self.expr)[1]

    @property
    def labels(self):
        return dict(re.findall(r'(\w+)="([^"]*)"', RULE.fullmatch(self.expr)[2] or ""))

    def fires(self, scrape):
        """Whether one of the samples that it names is beyond the number. `for` is not looked at."""
        _, _, sign, number = RULE.fullmatch(self.expr).groups()
        return any(
            COMPARED[sign](sample.value, float(number))
            for sample in scrape.samples
            if sample.name == self.metric and self.labels.items() <= sample.labels.items()
        )


def rules():
    found = yaml.safe_load(ALERTS.read_text())
    return {
        rule["alert"]: Rule(
            rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"]["runbook"]
        )
        for group in found["groups"]
        for rule in group["rules"]
    }
