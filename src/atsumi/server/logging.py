"""Logs: structured, one stream (standard error), and without secrets.

Everything that is logged, by our own code, by libraries or by the web server, takes one way: context is added, the
exception becomes text, :mod:`atsumi.redaction` goes over every field, and only then is the line written, for people
(``console``) or as one JSON object (``json``). There is no second handler that a secret could leave by; an exception
that nothing caught is logged like any other, not printed.

Fields that identify a line: ``integration`` (id), ``run`` (id of the sync run), ``request`` (id of the API request).
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from atsumi.redaction import redact

_LOUD_LIBRARIES = {
    "alembic": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "pgqueuer": logging.WARNING,
    # It warns of every repeated request; a run that cannot go on says so itself.
    "stamina": logging.ERROR,
}


def configure_logging(
    level: Literal["debug", "info", "warning", "error"] = "info",
    format: Literal["console", "json"] = "console",
    *,
    stream: TextIO | None = None,
) -> None:
    """Send all logs of this process to ``stream`` (standard error by default). May be called again.

    Give uvicorn ``log_config=None``: its loggers then hand their lines to ours, access lines included.
    """
    target = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(),
    ]
    renderer: Processor
    if format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=target.isatty(),
            timestamp_key="at",
            exception_formatter=structlog.dev.plain_traceback,
            sort_keys=False,
        )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _drop_copies, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact_event, renderer],
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for present in list(root.handlers):
        if isinstance(present.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(present)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, quietest in _LOUD_LIBRARIES.items():
        logging.getLogger(name).setLevel(max(quietest, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for structured lines: ``log.info("page stored", stream="jobs", records=50)``."""
    return structlog.stdlib.get_logger(name)


@contextmanager
def log_context(**fields: str) -> Iterator[None]:
    """Add fields (``integration``, ``run``, ``request``) to every line that is logged inside, by whomever."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def redact_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The last processor before rendering: no secret in any field, all values plain."""
    return cast(MutableMapping[str, Any], redact(event))


def _drop_copies(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Drop what says the message again: uvicorn's coloured copy and what other handlers left in the record."""
    for name in ("color_message", "message", "asctime"):
        event.pop(name, None)
    return event


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("atsumi").critical("uncaught exception", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is None or issubclass(arguments.exc_type, SystemExit):
        return
    _log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
