"""Tables (one file a noun), the frozen content of an edition, and the table of every state's edges."""

from app.models.base import Base
from app.models.domains import MailDomain
from app.models.editions import Edition, Listing, Picture, Release, Variant
from app.models.ledger import Delivery, DeliveryCount, DeliveryNote, DeliveryPace, Shard, TransactionalEmail
from app.models.links import LinkCheck
from app.models.monitoring import Counter, LivingWorker
from app.models.operations import ApiKey, AuditEntry, IdempotencyKey, Instance, JobRun, SharedSettings, SpentProof
from app.models.operator_mail import OperatorMail
from app.models.readers import Consent, Placement, Subscriber, Suppression
from app.models.sources import Sighting, Source, SourceHealth, SourceKind
from app.models.stories import Story
from app.models.throttle import Bucket, ProviderState
from app.models.trends import TrendAsk, TrendCount, TrendItem, TrendNote, TrendSnapshot, TrendThing

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Base",
    "Bucket",
    "Consent",
    "Counter",
    "Delivery",
    "DeliveryCount",
    "DeliveryNote",
    "DeliveryPace",
    "Edition",
    "IdempotencyKey",
    "Instance",
    "JobRun",
    "LinkCheck",
    "Listing",
    "LivingWorker",
    "MailDomain",
    "OperatorMail",
    "Picture",
    "Placement",
    "ProviderState",
    "Release",
    "Shard",
    "SharedSettings",
    "Sighting",
    "Source",
    "SourceHealth",
    "SourceKind",
    "SpentProof",
    "Story",
    "Subscriber",
    "Suppression",
    "TransactionalEmail",
    "TrendAsk",
    "TrendCount",
    "TrendItem",
    "TrendNote",
    "TrendSnapshot",
    "TrendThing",
    "Variant",
]
