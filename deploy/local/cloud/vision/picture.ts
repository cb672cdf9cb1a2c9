import { createRequire } from 'node:module';
import type zlib from 'node:zlib';
import { imageSize } from 'image-size';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { ImageError } from './imageError.ts';

/** Pixels as RGBA, opaque, row after row. */
export type Picture = { width: number; height: number; data: Uint8Array };

/** https://cloud.google.com/vision/docs/supported-files#file_sizes */
const mostPixels = 75_000_000;

/**
 * The pixels as they are stored: an EXIF orientation is not applied (Google does not document what it does with it),
 * so that every box lies on the file's own grid.
 *
 * @throws ImageError for what is no picture, is larger than 75 megapixels, or is in a format other than PNG and JPEG
 */
export function decode(bytes: Uint8Array): Picture {
  const { width, height, type } = header(bytes);
  if (!width || !height) throw badImage();
  if (width * height > mostPixels) throw tooLarge(width * height);
  if (type !== 'png' && type !== 'jpg') {
    const name = String(type).toUpperCase();
    throw new ImageError(12, `${name} images are not available to the local models; PNG and JPEG are.`);
  }
  try {
    return type === 'png' ? decodePng(bytes, width * height) : decodeJpeg(bytes);
  } catch (error) {
    throw error instanceof ImageError ? error : badImage();
  }
}

function header(bytes: Uint8Array): ReturnType<typeof imageSize> {
  try {
    return imageSize(bytes);
  } catch {
    throw badImage();
  }
}

const badImage = () => new ImageError(3, 'Bad image data.');
const tooLarge = (pixels: number) =>
  new ImageError(3, `The image has ${pixels} pixels, more than ${mostPixels}.`);

function decodePng(bytes: Uint8Array, pixels: number): Picture {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A second header could announce another size than the one that was checked.
  for (let at = 8, headers = 0; at + 8 <= file.length; at += 12 + file.readUInt32BE(at)) {
    if (file.toString('latin1', at + 4, at + 8) === 'IHDR' && ++headers > 1) throw badImage();
  }
  const { width, height, data } = limitingInflation(16 * pixels + 1024, () => PNG.sync.read(file));
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] as number;
    if (alpha === 255) continue;
    // On white: text on a transparent page is black on "transparent black".
    for (let c = i; c < i + 3; c++)
      data[c] = Math.round(((data[c] as number) * alpha + 255 * (255 - alpha)) / 255);
    data[i + 3] = 255;
  }
  return { width, height, data };
}

/** pngjs inflates interlaced pictures without a limit: 20 MB could become 20 GB. So zlib gets one meanwhile. */
function limitingInflation<T>(maxOutputLength: number, work: () => T): T {
  const module = createRequire(import.meta.url)('node:zlib') as { inflateSync: typeof zlib.inflateSync };
  const { inflateSync } = module;
  module.inflateSync = (data, options) => inflateSync(data, { maxOutputLength, ...options });
  try {
    return work();
  } finally {
    module.inflateSync = inflateSync;
  }
}

function decodeJpeg(bytes: Uint8Array): Picture {
  try {
    return jpeg.decode(bytes, { useTArray: true, maxResolutionInMP: 75, maxMemoryUsageInMB: 1536 });
  } catch (error) {
    if (String(error).includes('limit exceeded')) throw new ImageError(3, `Too large: ${String(error)}`);
    throw error;
  }
}

/** As large or smaller by a whole factor, so that no side is longer than `longest`: means of blocks of pixels. */
export function shrink({ width, height, data }: Picture, longest: number): Picture {
  const factor = Math.ceil(Math.max(width, height) / longest);
  if (factor === 1) return { width, height, data };
  const small = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  const means = new Uint8Array(small.width * small.height * 4);
  for (let y = 0, to = 0; y < height; y += factor) {
    for (let x = 0; x < width; x += factor) {
      const bottom = Math.min(y + factor, height);
      const right = Math.min(x + factor, width);
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0;
        for (let v = y; v < bottom; v++)
          for (let u = x; u < right; u++) sum += data[(v * width + u) * 4 + channel] as number;
        means[to++] = sum / ((bottom - y) * (right - x));
      }
    }
  }
  return { ...small, data: means };
}
