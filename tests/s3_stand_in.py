"""As much of S3 as the file storage uses: whole and multipart uploads, ranged reads, look-ups and removals."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import md5

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Bucket:
    """What is stored, by key, and the uploads under way. ``signed`` counts requests that were signed."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    signed: int = 0
    requests: int = 0

    async def answer(self, request: Request) -> Response:
        key, query, body = request.path_params["key"], request.query_params, await request.body()
        self.requests += 1
        self.signed += request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")
        match request.method:
            case "POST" if "uploads" in query:
                id = f"upload{len(self.uploads)}"
                self.uploads[id] = {}
                return _xml(f"<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>")
            case "PUT" if "uploadId" in query:
                self.uploads[query["uploadId"]][int(query["partNumber"])] = body
                return Response(headers={"etag": _etag(body)})
            case "POST" if "delete" in query:
                keys = re.findall(r"<Key>([^<]+)</Key>", body.decode())
                for one in keys:
                    self.objects.pop(one, None)
                deleted = "".join(f"<Deleted><Key>{one}</Key></Deleted>" for one in keys)
                return _xml(f"<DeleteResult>{deleted}</DeleteResult>")
            case "POST":
                parts = self.uploads.pop(query["uploadId"])
                self.objects[key] = b"".join(parts[number] for number in sorted(parts))
                etag = _etag(self.objects[key])
                return _xml(f"<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>")
            case "DELETE" if "uploadId" in query:
                self.uploads.pop(query["uploadId"], None)
                return Response(status_code=204)
            case "PUT":
                self.objects[key] = body
                return Response(headers={"etag": _etag(body)})
            case "DELETE":
                self.objects.pop(key, None)
                return Response(status_code=204)
        if key not in self.objects:
            return _xml("<Error><Code>NoSuchKey</Code></Error>", 404)
        content = self.objects[key]
        headers = {"etag": _etag(content), "last-modified": "Mon, 02 Nov 2026 09:00:00 GMT"}
        asked = request.headers.get("range")
        if asked is None:
            return Response(content, headers=headers)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last) + 1, len(content)) if last else len(content)
        headers["content-range"] = f"bytes {first}-{end - 1}/{len(content)}"
        return Response(content[int(first) : end], 206, headers)


@asynccontextmanager
async def s3() -> AsyncIterator[tuple[str, Bucket]]:
    """The address of a server over loopback, and its bucket, which is called ``files``."""
    bucket = Bucket()
    route = Route("/files/{key:path}", bucket.answer, methods=["GET", "PUT", "POST", "DELETE"])
    config = uvicorn.Config(Starlette(routes=[route]), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", bucket
    finally:
        server.should_exit = True
        await serving


def _etag(content: bytes) -> str:
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'


def _xml(text: str, status: int = 200) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{text}', status, media_type="application/xml")
