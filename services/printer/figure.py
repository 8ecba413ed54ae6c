"""A ticket's number in dots, its digits as high as they are read across a hall.

A printer's own letters are at most eight times their size, with digits of some 18 mm; a picture
has exactly the height that it is given.
"""

import math

from PIL import Image, ImageDraw, ImageFont

HEIGHT = 21.0  # mm of a digit; 20 at least on paper
MARGIN = 8  # dots left and right
INCH = 25.4  # mm


def figure(number: str, width: int, dpi: int) -> Image.Image:
    """Black on white, `width` dots wide; drawn at its full height, narrower where it must be."""
    drawn = _drawn(number)
    height = math.ceil(HEIGHT * dpi / INCH)
    wide = min(width - 2 * MARGIN, round(drawn.width * height / drawn.height))
    picture = Image.new("L", (width, height), 255)
    picture.paste(drawn.resize((wide, height)), ((width - wide) // 2, 0))
    return picture.point(lambda light: 255 if light > 127 else 0).convert("1")


def _drawn(number: str) -> Image.Image:
    """Large, cut to its ink; a stroke makes it bold."""
    font = ImageFont.load_default(200)
    left, top, right, bottom = font.getbbox(number, stroke_width=5)
    picture = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)), 255)
    ImageDraw.Draw(picture).text((-left, -top), number, font=font, fill=0, stroke_width=5)
    box = picture.point(lambda light: 255 - light).getbbox()
    return picture.crop(box)
