"""Erasing a person through the REST API, and what came of it."""

from http import HTTPStatus
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import decorators, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api.entries import Entry, for_example
from briefs.api.parameters import refuse_unknown
from briefs.api.problems import Invalid
from briefs.api.repeating import once
from briefs.forgetting import ordering
from briefs.models import Erasure
from personas.models import Customer


@for_example(dry_run=True)
class OrderErasure(Entry):
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only count what is the customer's."
    )


class ErasureInFull(serializers.ModelSerializer[Erasure]):
    id = serializers.IntegerField(read_only=True, allow_null=True, help_text="None of a dry run.")
    by = serializers.CharField(
        source="made_by.username",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="Empty: whoever used the command, or a look-up.",
    )
    begun_at = serializers.DateTimeField(read_only=True, allow_null=True)
    ended_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Null: it is not done yet."
    )
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many rows of each table."
    )
    left = serializers.ListField(
        child=serializers.CharField(),
        help_text="What still names the person: rules that the team has to change itself, and "
        "saved views that may mean somebody else.",
    )

    class Meta:
        model = Erasure
        fields = ("id", "way", "by", "begun_at", "ended_at", "counts", "left")


class Erases:
    """What a view of customers has besides."""

    request: Any

    @extend_schema(request=OrderErasure)
    @decorators.action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        """Have all that is kept about a customer erased, within a minute or two and for ever.

        Ask for `/api/v1/erasures/<id>/` until `ended_at` is set. With `dry_run` nothing is ordered,
        and `counts` tells what is the customer's; texts of others that quote them are searched only
        when it is carried out.
        """
        refuse_unknown(request, [])
        customer = Customer.objects.filter(pk=_key(pk), is_erased=False).first()
        if customer is None:
            raise Http404
        return once(request, None, lambda: self._erase(customer))

    def _erase(self, customer: Customer) -> Response:
        entry = OrderErasure(data=self.request.data, context={"brief": None})
        if not entry.is_valid():
            raise Invalid({name: list(map(str, said)) for name, said in entry.errors.items()})
        way = Erasure.Way.API
        if entry.validated_data["dry_run"]:
            counts = ordering.foresee(customer)
            erasure = Erasure(way=way, made_by_id=self.request.user.pk, counts=counts)
            erasure.begun_at = None  # type: ignore[assignment]  # else the database's own time
        else:
            erasure = ordering.order(customer, self.request.user, way)
        return Response(ErasureInFull(erasure).data, HTTPStatus.OK)


def _key(pk: str) -> int:
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise Http404
    return int(pk)
