"""Canary secrets are looked for in every way that leads into a log."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any, Literal

import httpx2
import pytest
import structlog
import uvicorn

from atsumi.redaction import REDACTED, forget_secrets, register_secret
from atsumi.server.logging import configure_logging, get_logger, log_context

CANARY = "canary/s3cret+value"
Format = Literal["console", "json"]


class Lines(io.StringIO):
    """What was logged."""

    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.getvalue().splitlines()[-1])
        return found


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx2", "httpcore2", "pgqueuer")
    loggers = {name: (logging.getLogger(name).level, logging.getLogger(name).propagate) for name in names}
    handlers, level, hooks = list(root.handlers), root.level, (sys.excepthook, threading.excepthook)
    forget_secrets()
    register_secret(CANARY)
    yield
    forget_secrets()
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    for name, (logger_level, propagate) in loggers.items():
        logging.getLogger(name).setLevel(logger_level)
        logging.getLogger(name).propagate = propagate


@pytest.fixture(params=["console", "json"])
def lines(request: pytest.FixtureRequest) -> Lines:
    stream = Lines()
    configure_logging("debug", request.param, stream=stream)
    return stream


@pytest.fixture
def json_lines() -> Lines:
    stream = Lines()
    configure_logging("debug", "json", stream=stream)
    return stream


def test_a_secret_is_replaced_in_every_field(lines: Lines) -> None:
    get_logger("atsumi.test").info(
        f"event {CANARY}",
        nested={"list": [{"deep": CANARY}, CANARY.encode()]},
        headers={"authorization": "Bearer unregistered-token", "accept": "text/plain"},
        basic=base64.b64encode(f"client:{CANARY}".encode()).decode(),
        **{f"key-{CANARY}": 1},
    )
    text = lines.getvalue()
    assert CANARY not in text
    assert "unregistered-token" not in text
    assert base64.b64encode(f"client:{CANARY}".encode()).decode() not in text
    assert REDACTED in text
    assert "text/plain" in text


def test_a_secret_is_replaced_in_exceptions_and_their_causes(lines: Lines) -> None:
    try:
        try:
            raise ValueError(f"inner {CANARY}")
        except ValueError as error:
            raise RuntimeError(f"outer {CANARY!r}") from error
    except RuntimeError as error:
        error.add_note(f"note {CANARY}")
        get_logger("atsumi.test").exception("failed", error=error)
        logging.getLogger("library").exception("failed")
    text = lines.getvalue()
    assert CANARY not in text
    assert text.count("RuntimeError: outer") >= 2
    assert "ValueError: inner" in text
    assert "note" in text


def test_a_secret_is_replaced_in_records_of_libraries(lines: Lines) -> None:
    logging.getLogger("library").warning("connecting with %s and %r", CANARY, {"password": "unregistered"})
    logging.getLogger("library").warning("extra", extra={"credential": CANARY})
    text = lines.getvalue()
    assert CANARY not in text
    assert "extra" in text


def test_a_secret_is_replaced_in_exceptions_that_nothing_caught(lines: Lines) -> None:
    sys.excepthook(ValueError, ValueError(f"top {CANARY}"), None)

    def fail() -> None:
        raise ValueError(f"thread {CANARY}")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    text = lines.getvalue()
    assert CANARY not in text
    assert text.count("uncaught exception") == 2
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines.getvalue() == text


async def test_a_secret_is_replaced_in_the_web_servers_lines(lines: Lines) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/fails":
            raise ValueError(f"in the app {CANARY}")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        await client.get("/works", params={"x": CANARY, "api_key": "unregistered-key"})
        await client.get("/fails")
    server.should_exit = True
    await serving
    text = lines.getvalue()
    assert "/works" in text
    assert "in the app" in text
    assert CANARY not in text
    assert "canary%2Fs3cret" not in text
    assert "unregistered-key" not in text


def test_a_line_says_what_it_belongs_to(json_lines: Lines) -> None:
    with log_context(integration="personio:abc", run="run-1"):
        with log_context(request="req-1"):
            logging.getLogger("library").info("inside")
        line = json_lines.last()
        get_logger("atsumi.sync").warning("page stored", records=50)
    assert (line["integration"], line["run"], line["request"]) == ("personio:abc", "run-1", "req-1")
    assert (line["event"], line["level"], line["logger"]) == ("inside", "info", "library")
    line = json_lines.last()
    assert "request" not in line
    assert line["records"] == 50
    get_logger("atsumi.sync").info("outside")
    assert "integration" not in json_lines.last()


def test_json_lines_are_one_object_each_whatever_is_logged(json_lines: Lines) -> None:
    get_logger("atsumi.test").info("two\nlines", value=object(), raw=b"\xff", when=None)
    assert len(json_lines.getvalue().splitlines()) == 1
    assert json_lines.last()["event"] == "two\nlines"


def test_messages_below_the_level_are_left_out() -> None:
    stream = Lines()
    configure_logging("warning", "json", stream=stream)
    get_logger("atsumi.test").info("quiet")
    logging.getLogger("library").info("quiet")
    assert stream.getvalue() == ""


def test_configuring_again_does_not_double_lines() -> None:
    first, second = Lines(), Lines()
    configure_logging("info", "json", stream=first)
    configure_logging("info", "json", stream=second)
    get_logger("atsumi.test").info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1
