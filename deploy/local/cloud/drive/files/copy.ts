import { copyFile as copyBytes } from 'node:fs/promises';
import type { RequestHandler } from 'express';
import { GoogleError } from '../../googleError.ts';
import { folderType, shortcutType } from '../names.ts';
import { answer, type Drive, itemOf } from '../request.ts';
import { parseBody } from './body.ts';
import { readContent } from './content.ts';
import { create } from './create.ts';
import { fileFields, fileResource, metaOf, nameOf, unaskedOfFile } from './resource.ts';

export const copyFile =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const source = itemOf(drive, request);
    if (source.mimeType === folderType || source.mimeType === shortcutType) {
      throw new GoogleError(403, 'cannotCopyFile', 'This file cannot be copied by the user.');
    }
    const body = parseBody(request.body);
    const path = drive.context.store.newBlob('drive');
    await copyBytes(drive.tree.pathOf(source), path);
    const { description, properties } = metaOf(source);
    const inherited = {
      name: `Copy of ${nameOf(source)}`,
      mimeType: source.mimeType,
      ...(source.parent === null ? {} : { parents: [source.parent] }),
      ...(description === undefined ? {} : { description }),
      ...(properties === undefined ? {} : { properties }),
    };
    const content = await readContent(path, source.mimeType);
    const row = await create(drive, request, { ...inherited, ...body }, content);
    answer(request, response, fileResource(drive, row), unaskedOfFile, fileFields);
  };
