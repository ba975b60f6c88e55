"""Small, valid, deterministic PDF files."""

from __future__ import annotations

import functools


@functools.lru_cache(maxsize=512)
def document(title: str, lines: tuple[str, ...]) -> bytes:
    """Return a one-page PDF 1.4 file showing the title and the lines.

    Characters outside Latin-1 are shown as question marks. The same arguments give the same bytes.
    """
    text = [f"BT /F1 18 Tf 60 780 Td ({_escape(title)}) Tj ET"]
    text += [f"BT /F1 11 Tf 60 {750 - 18 * row} Td ({_escape(line)}) Tj ET" for row, line in enumerate(lines)]
    content = "\n".join(text).encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    body = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, item in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
