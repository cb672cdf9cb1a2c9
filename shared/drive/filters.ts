import { posix } from 'node:path';
import { noticeFileName } from '../notices/noticeFile.ts';
import type { DriveFile } from './driveFile.ts';

export type FilterOptions = {
  /** Globs over the path from the study folder down; nothing given: everything. */
  include: string[];
  exclude: string[];
  /** Globs over the media type, for example `video/*`. */
  excludeTypes: string[];
  /** Bytes. */
  maxSize?: number | undefined;
};

/** What of the study folder is left alone: not brought, and, if it is there already, neither changed nor removed. */
export type Filters = {
  reasonToLeave(path: string[], file: Pick<DriveFile, 'mimeType' | 'size'>): string | undefined;
};

export function filtersOf({ include, exclude, excludeTypes, maxSize }: FilterOptions): Filters {
  return {
    reasonToLeave(path, { mimeType, size }) {
      // Or each notice would come back as a stimulus, and be paid for.
      if (path.length === 1 && path[0] === noticeFileName) return 'Gazeline writes its notices there';
      // A slash within a name is no folder.
      const name = path.map((part) => part.replaceAll('/', '%2F')).join('/');
      const matches = (glob: string) => posix.matchesGlob(name, glob);
      const excluded = exclude.find(matches);
      if (excluded) return `it is excluded by ${excluded}`;
      if (include.length > 0 && !include.some(matches)) return `it is not among ${include.join(', ')}`;
      const type = excludeTypes.find((glob) => posix.matchesGlob(mimeType, glob));
      if (type) return `its type ${mimeType} is excluded by ${type}`;
      if (maxSize !== undefined && Number(size) > maxSize)
        return `it has ${size} bytes, more than the ${maxSize} that are allowed`;
      return undefined;
    },
  };
}
