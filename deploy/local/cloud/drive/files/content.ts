import { utimesSync } from 'node:fs';
import { GoogleError } from '../../googleError.ts';
import { type Hashes, hashFile } from '../hash.ts';
import { drawingType, isNative } from '../names.ts';
import { exportFormats } from './exportFormats.ts';

/** Bytes that came in, in a blob of their own. */
export type Content = { path: string; mimeType: string | undefined; hashes: Hashes };

/** Reads what an upload left behind. */
export async function readContent(path: string, mimeType: string | undefined): Promise<Content> {
  return { path, mimeType, hashes: await hashFile(path) };
}

/** @throws 400 if a document cannot be made of it: here that is possible from text, of a drawing from SVG too */
export function checkConversion(mimeType: string, content: Content | undefined): void {
  if (!content || !isNative(mimeType)) return;
  const source = content.mimeType ?? 'text/plain';
  const isText = /^text\//.test(source) && mimeType in exportFormats;
  const isSvg = source === 'image/svg+xml' && mimeType === drawingType;
  if (isText || isSvg || source === mimeType) return;
  throw new GoogleError(400, 'badRequest', `Bad Request: conversion from ${source} is not supported`);
}

/** Gives the file on disk the time that the API was told, so that both say the same. */
export function setModified(path: string, modifiedTime: string | undefined): void {
  if (modifiedTime === undefined) return;
  // Seconds as a floating-point number may become a nanosecond less, which would be a millisecond less.
  utimesSync(path, new Date(), (Date.parse(modifiedTime) + 0.1) / 1000);
}
