"""A screenshot as a PNG with a palette: a third of the size, and for text and tables nothing that is seen is lost."""

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

COLOURS: Final = 256  # of a palette whose indexes are bytes (PNG, Third Edition, 11.2.1)
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PALETTE: Final = 3  # the type of colour in a PNG's head
# The most frequent colours, and for each pixel the nearest of them. In the browser, which reads PNGs.
_REDUCE: Final = """
async ([png, most]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const words = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const parts = (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255];
  const palette = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most).map(([word]) => parts(word));
  const places = new Map();
  for (const word of counts.keys()) {
    const [r, g, b] = parts(word);
    const far = palette.map(([x, y, z]) => (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2);
    places.set(word, far.indexOf(Math.min(...far)));
  }
  let text = "";
  for (const word of words) text += String.fromCharCode(places.get(word));
  return { width: image.width, height: image.height, palette: palette.flat(), indexes: btoa(text) };
}
"""


def reduced(page: "Page", png: bytes) -> bytes:
    """The picture with 256 colours at most; `page` is an empty one, which computes it."""
    made = page.evaluate(_REDUCE, [base64.b64encode(png).decode(), COLOURS])
    width, height = made["width"], made["height"]
    indexes = base64.b64decode(made["indexes"])
    lines = b"".join(b"\0" + indexes[at : at + width] for at in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", bytes(made["palette"])), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
