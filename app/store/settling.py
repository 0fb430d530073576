"""What became of one mail of a stream of single letters: to a reader, or to the operators."""

from datetime import datetime

from sqlalchemy import func, update

from app.core.db import Session
from app.models import OperatorMail, TransactionalEmail
from app.models.states import DeliveryStatus


async def settle(
    session: Session,
    mails: type[OperatorMail] | type[TransactionalEmail],
    mail_id: int,
    attempt: int,
    *,
    status: DeliveryStatus,
    due_at: datetime | None,
    provider_id: str | None,
    code: str,
    why: str,
) -> None:
    """Records an outcome for its own attempt; an acceptance also wins over a resend that waits."""
    may = [DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN]
    if status is DeliveryStatus.ACCEPTED:
        may.append(DeliveryStatus.QUEUED)
    await session.execute(
        update(mails)
        .where(
            mails.id == mail_id,
            mails.status.in_(may),
            (mails.attempt == attempt) | (status == DeliveryStatus.ACCEPTED),
        )
        .values(
            status=status,
            due_at=func.coalesce(due_at, mails.due_at),
            provider_id=provider_id,
            code=code[:24],
            why=why[:400],
        )
        .execution_options(synchronize_session=False)
    )
