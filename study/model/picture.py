"""A photograph with a box around each face, and bars of what the network answers."""

from PIL import Image, ImageDraw, ImageFont

from study.model.faces import Face

ROW, BAR, PAD = 20, 120, 12
BOX, INSIDE, OUTSIDE = "#d55e00", "#0072b2", "#b8b8b8"  # Okabe and Ito's, told apart by all
SHOWN_PX = 1600
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".pdf")  # of a file that Pillow writes in colour


def drawn(
    image: Image.Image,
    faces: list[tuple[Face, list[float], list[bool], bool]],
    classes: list[str],
) -> Image.Image:
    """The photograph, its faces numbered, and beside it a panel of bars for each of them; classes
    of the 90 % set are blue. `faces`: with probabilities, which classes are in the set, and whether
    they are unlike the training images."""
    shrink = min(1.0, SHOWN_PX / max(image.size))
    size = [max(1, round(shrink * side)) for side in image.size]
    font = ImageFont.load_default(14)
    panel = (len(classes) + 2) * ROW
    across = max(1, max(size[1], 400) // panel)  # panels above each other
    width = BAR + 160
    columns = -(-len(faces) // across)
    height = max(size[1], panel * min(across, len(faces)) + PAD)
    page = Image.new("RGB", (size[0] + columns * width + PAD, height), "white")
    page.paste(image.resize(size), (0, 0))
    draw = ImageDraw.Draw(page)
    for number, (face, shares, inside, unlike) in enumerate(faces):
        left, top = face.left * shrink, face.top * shrink
        edge = face.side * shrink
        draw.rectangle((left, top, left + edge - 1, top + edge - 1), outline=BOX, width=3)
        draw.rectangle((left, top, left + 24, top + 20), fill=BOX)
        draw.text((left + 6, top + 2), str(number + 1), fill="white", font=font)
        x = size[0] + PAD + number // across * width
        y = PAD // 2 + number % across * panel
        best = classes[shares.index(max(shares))]
        title = f"{number + 1}: {best} (blue: the 90 % set)"
        draw.text((x, y), title, fill="black", font=font)
        for k, name in enumerate(classes):
            y += ROW
            colour = INSIDE if inside[k] else OUTSIDE
            draw.text((x, y), name, fill="black", font=font)
            draw.rectangle((x + 80, y + 3, x + 80 + BAR * shares[k], y + ROW - 4), fill=colour)
            text = f"{100 * shares[k]:.0f} %"
            draw.text((x + 84 + BAR * shares[k], y), text, fill="black", font=font)
        if unlike:
            draw.text((x, y + ROW), "unlike the training images", fill=BOX, font=font)
    return page
