"""Small image files of every kind that is decoded, with the values that Pillow, tifffile and pypng wrote; writes images.json.

Needs: numpy, pillow, tifffile, imagecodecs, pypng. Run: python test/oracles/images.py
All pixels are generated here.
"""
import base64
import io
import json
from pathlib import Path

import numpy as np
import png
import tifffile
from PIL import Image

HEIGHT, WIDTH = 5, 7
rng = np.random.default_rng(0)
cases = []


def add(name, content, expected, channels=1, **more):
    """One file; `expected` lists the pages, each as a flat list of values."""
    pages = expected if isinstance(expected, list) else [expected]
    cases.append({
        'name': name,
        'file': base64.b64encode(content).decode(),
        'width': pages[0].shape[1],
        'height': pages[0].shape[0],
        'channels': channels,
        'pages': [page.ravel().tolist() for page in pages],
        **more,
    })


def pillow(array_or_image, form, **options):
    image = array_or_image if isinstance(array_or_image, Image.Image) else Image.fromarray(array_or_image)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def pypng(rows, **options):
    buffer = io.BytesIO()
    png.Writer(width=WIDTH, height=HEIGHT, **options).write(buffer, rows.reshape(HEIGHT, -1).tolist())
    return buffer.getvalue()


def tif(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, metadata=None, **options)
    return buffer.getvalue()


def integers(low, high, dtype, channels=None):
    shape = (HEIGHT, WIDTH) if channels is None else (HEIGHT, WIDTH, channels)
    values = rng.integers(low, high, shape, dtype=np.int64)
    flat = values.reshape(-1)
    flat[0], flat[-1] = low, high - 1
    return values.astype(dtype)


grey = integers(0, 256, np.uint8)
rgb = integers(0, 256, np.uint8, 3)
rgba = integers(0, 256, np.uint8, 4)
grey_alpha = integers(0, 256, np.uint8, 2)
grey16 = integers(0, 65536, np.uint16)
rgb16 = integers(0, 65536, np.uint16, 3)

# PNG
add('grey.png', pillow(grey, 'PNG'), grey, type='Uint8Array')
add('rgb.png', pillow(rgb, 'PNG'), rgb, 3, type='Uint8Array')
add('rgba.png', pillow(rgba, 'PNG'), rgba[..., :3], 3, type='Uint8Array')
add('grey_alpha.png', pillow(Image.fromarray(grey_alpha, 'LA'), 'PNG'), grey_alpha[..., 0], type='Uint8Array')
add('grey16.png', pypng(grey16, greyscale=True, bitdepth=16), grey16, type='Uint16Array')
add('rgb16.png', pypng(rgb16, greyscale=False, bitdepth=16), rgb16, 3, type='Uint16Array')
add('interlaced.png', pypng(grey, greyscale=True, interlace=True), grey, type='Uint8Array')
add('transparent.png', pypng(grey, greyscale=True, transparent=7), grey, type='Uint8Array')
for depth in (1, 2, 4):
    values = integers(0, 2**depth, np.uint8)
    scaled = (values.astype(int) * (255 // (2**depth - 1))).astype(np.uint8)
    add(f'grey{depth}bit.png', pypng(values, greyscale=True, bitdepth=depth), scaled, type='Uint8Array')

# Palettes: what a viewer shows, and the labels of a mask.
colours = [(10, 20, 30), (200, 100, 50), (0, 255, 0), (90, 90, 90)]
for depth in (2, 4, 8):
    index = integers(0, 4, np.uint8)
    content = pypng(index, palette=colours, bitdepth=depth)
    add(f'palette{depth}bit.png', content, np.array(colours, np.uint8)[index], 3, labels=index.ravel().tolist())
index = integers(0, 2, np.uint8)
shown = np.array([255, 0], np.uint8)[index]
content = pypng(index, palette=[(255, 255, 255), (0, 0, 0)], bitdepth=1)
add('white_first.png', content, shown, labels=shown.ravel().tolist())

# JPEG: what Pillow decodes, on a smooth image; decoders may differ by rounding.
y, x = np.mgrid[0:24, 0:20]
smooth = np.stack([10 * x, 9 * y, 100 + 3 * x - 2 * y], -1).clip(0, 255).astype(np.uint8)
for name, array, options in [
    ('grey.jpg', smooth[..., 0], {}),
    ('rgb.jpg', smooth, {'subsampling': 0}),
    ('progressive.jpg', smooth[..., 1], {'progressive': True}),
]:
    content = pillow(array, 'JPEG', quality=95, **options)
    decoded = np.asarray(Image.open(io.BytesIO(content)))
    add(name, content, decoded, 3 if decoded.ndim == 3 else 1, type='Uint8Array', tolerance=4)

# TIFF
signed8, signed16, signed32 = (integers(-(2**b), 2**b, t) for b, t in ((7, np.int8), (15, np.int16), (31, np.int32)))
unsigned32 = integers(0, 2**32, np.uint32)
float32 = rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32)
float64 = rng.normal(size=(HEIGHT, WIDTH))
for name, array, kind in [
    ('u8', grey, 'Uint8Array'), ('u16', grey16, 'Uint16Array'), ('u32', unsigned32, 'Uint32Array'),
    ('i8', signed8, 'Int16Array'), ('i16', signed16, 'Int16Array'), ('i32', signed32, 'Int32Array'),
    ('f32', float32, 'Float32Array'), ('f64', float64, 'Float64Array'),
]:
    add(f'{name}.tif', tif(array), array, type=kind)
    add(f'{name}_big_endian.tif', tif(array, byteorder='>'), array, type=kind)
    add(f'{name}_lzw_strips.tif', tif(array, compression='lzw', rowsperstrip=2), array, type=kind)
for name, array, kind in [('u8', grey, 'Uint8Array'), ('i16', signed16, 'Int16Array'), ('i32', signed32, 'Int32Array')]:
    add(f'{name}_deflate.tif', tif(array, compression='zlib'), array, type=kind)
    add(f'{name}_tiles.tif', tif(array, tile=(16, 16)), array, type=kind)
for name, array, kind in [('u8', grey, 'Uint8Array'), ('i16', signed16, 'Int16Array')]:
    add(f'{name}_predictor.tif', tif(array, compression='lzw', predictor=True), array, type=kind)
add('rgb.tif', tif(rgb, photometric='rgb'), rgb, 3, type='Uint8Array')
add('rgb16.tif', tif(rgb16, photometric='rgb'), rgb16, 3, type='Uint16Array')
add('rgba.tif', tif(rgba, photometric='rgb', extrasamples=['unassalpha']), rgba[..., :3], 3, type='Uint8Array')
add('white_is_zero.tif', tif(grey, photometric='miniswhite'), 255 - grey, type='Uint8Array')
# Pillow leaves out the tag BitsPerSample, whose default is 1.
bits = integers(0, 2, np.uint8)
add('bits.tif', pillow(Image.fromarray(bits.astype(bool)), 'TIFF'), bits * 255, type='Uint8Array')
image = Image.fromarray(integers(0, 4, np.uint8), 'P')
image.putpalette([part for colour in colours for part in colour])
index = np.asarray(image)
add('palette.tif', pillow(image, 'TIFF'), np.array(colours, np.uint8)[index], 3, labels=index.ravel().tolist())
stack = np.stack([grey16, grey16[::-1], grey16[:, ::-1]])
add('stack.tif', tif(stack, photometric='minisblack'), list(stack), type='Uint16Array')
stack = np.stack([signed32, signed32[::-1]])
add('stack_i32.tif', tif(stack, photometric='minisblack'), list(stack), type='Int32Array')
pages = [bits, bits[::-1], 1 - bits]
content = pillow(Image.fromarray(pages[0].astype(bool)), 'TIFF', save_all=True,
                 append_images=[Image.fromarray(page.astype(bool)) for page in pages[1:]])
add('stack_bits.tif', content, [page * 255 for page in pages], type='Uint8Array')
buffer = io.BytesIO()
with tifffile.TiffWriter(buffer) as writer:
    writer.write(grey, metadata=None)
    writer.write(grey[::2, ::2], metadata=None, subfiletype=1)
add('thumbnail.tif', buffer.getvalue(), grey, type='Uint8Array')

# What is refused, with the reason that the message gives.
refused = [
    {'name': 'big.tif', 'file': tif(grey, bigtiff=True), 'reason': 'is a BigTIFF'},
    {'name': 'planar.tif', 'file': tif(np.moveaxis(rgb, -1, 0).copy(), photometric='rgb', planarconfig='separate'),
     'reason': 'stores its channels apart'},
    {'name': 'rgb_tiles.tif', 'file': tif(rgb, photometric='rgb', tile=(16, 16)), 'reason': 'several channels in tiles'},
    {'name': 'half.tif', 'file': tif(float32.astype(np.float16)), 'reason': '16-bit float samples'},
    {'name': 'five.tif', 'file': tif(np.dstack([grey] * 5), photometric='minisblack', planarconfig='contig'),
     'reason': 'has 5 channels'},
    {'name': 'predictor32.tif', 'file': tif(signed32, compression='zlib', predictor=True),
     'reason': 'uses a predictor on 32-bit samples'},
    {'name': 'signed_white.tif', 'file': tif(signed16, photometric='miniswhite'), 'reason': 'inverts samples with a sign'},
    {'name': 'packbits.tif', 'file': tif(grey, compression='packbits'), 'reason': 'PackBits'},
    {'name': 'image.gif', 'file': pillow(grey, 'GIF'), 'reason': 'neither PNG, JPEG nor TIFF'},
]
for each in refused:
    each['file'] = base64.b64encode(each['file']).decode()

text = json.dumps({'cases': cases, 'refused': refused}, separators=(',', ':'))
Path(__file__).with_name('images.json').write_text(text + '\n')
