import type { Request, RequestHandler, Response } from 'express';
import { GoogleError } from '../googleError.ts';
import type { Context } from '../service.ts';
import { type Fields, parseFields, select } from './fields.ts';
import type { Pusher } from './push.ts';
import { type Quota, unitsOf } from './quota.ts';
import type { Scanner } from './scan.ts';
import type { FileRow } from './table.ts';
import type { Tree } from './tree.ts';

/** What every part of the Drive is given. */
export type Drive = {
  context: Context;
  tree: Tree;
  scanner: Scanner;
  pusher: Pusher;
  /** Runs `work` while nobody looks at the folder, so that what it writes is not seen as somebody else's file. */
  exclusive<T>(work: () => T | Promise<T>): Promise<T>;
  /** Page tokens of the change feed up to this one are refused, since a fault has struck. */
  refusedTokens: { upTo: number; status: number };
};

/** A query parameter; of a repeated one, the last. */
export function text(request: Request, name: string): string | undefined {
  const value = [request.query[name]].flat().at(-1);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export const flag = (request: Request, name: string, otherwise = false): boolean => {
  const value = text(request, name);
  return value === undefined ? otherwise : value === 'true';
};

/** @throws 400 `invalidParameter` if it is no whole number between the limits */
export function integer(
  request: Request,
  name: string,
  otherwise: number,
  [min, max]: [number, number],
): number {
  const value = text(request, name);
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  const message = `Invalid value '${value}'. Values must be within the range: [${min}, ${max}]`;
  throw new GoogleError(400, 'invalidParameter', message, { locationType: 'parameter', location: name });
}

export const invalid = (location: string, message = 'Invalid Value') =>
  new GoogleError(400, 'invalid', message, { locationType: 'parameter', location });

export const notFound = (id: string) =>
  new GoogleError(404, 'notFound', `File not found: ${id}.`, {
    locationType: 'parameter',
    location: 'fileId',
  });

/** The item of this id, as far as the caller may know of it. @throws 404 `notFound` */
export function lookup({ tree }: Drive, request: Request, id: string): FileRow {
  const row = tree.find(id === 'root' ? tree.study : id);
  // Without the flag, items of shared drives do not exist.
  // https://developers.google.com/workspace/drive/api/guides/enable-shareddrives
  const isVisible = row && !row.hidden && (row.drive === tree.study || flag(request, 'supportsAllDrives'));
  if (!isVisible) throw notFound(id);
  return row;
}

/** The item in the path of the request. */
export const itemOf = (drive: Drive, request: Request) =>
  lookup(drive, request, String(request.params.fileId));

/** Answers with the fields that were asked for, or with the few that Drive gives unasked. */
export function answer(request: Request, response: Response, body: object, unasked: string, known: Fields) {
  response.json(select(body, parseFields(text(request, 'fields') ?? unasked, known)));
}

/** Names the operation and what it costs, so that a test can count it. */
export const operation =
  (name: string, quota: Quota): RequestHandler =>
  (request, response, next) => {
    const op = text(request, 'alt') === 'media' && name.endsWith('.get') ? 'files.download' : name;
    const units = unitsOf(op);
    response.locals.detail = { op, units };
    quota.spend(units);
    next();
  };
