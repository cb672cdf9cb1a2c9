import * as z from 'zod';

const office = 'application/vnd.openxmlformats-officedocument';

/** The formats by the extension that a file gets. https://developers.google.com/workspace/drive/api/guides/ref-export-formats */
const formats: Record<string, string> = {
  docx: `${office}.wordprocessingml.document`,
  odt: 'application/vnd.oasis.opendocument.text',
  rtf: 'application/rtf',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  epub: 'application/epub+zip',
  xlsx: `${office}.spreadsheetml.sheet`,
  ods: 'application/vnd.oasis.opendocument.spreadsheet',
  // Of the first sheet only: the Drive API gives no others.
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  pptx: `${office}.presentationml.presentation`,
  odp: 'application/vnd.oasis.opendocument.presentation',
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  svg: 'image/svg+xml',
};

const kinds = ['document', 'spreadsheet', 'presentation', 'drawing'] as const;
const nativePrefix = 'application/vnd.google-apps.';
export const isNative = (mimeType: string) => mimeType.startsWith(nativePrefix);

/** One of the files that a Google-native file becomes. */
export type Export = { mimeType: string; extension: string };
/** What Google-native files are exported to, by their type; types that are not there are not exported. */
export type ExportPolicy = Record<string, Export[]>;

/** `document=docx+txt spreadsheet=xlsx+csv`; what is left out is not exported. */
export const ExportPolicy = z.string().transform((text, context): ExportPolicy => {
  const policy: ExportPolicy = {};
  for (const one of text.split(/[\s,;]+/).filter(Boolean)) {
    const [kind = '', list = ''] = one.split('=');
    const extensions = list.split('+').filter(Boolean);
    const isKnown = (kinds as readonly string[]).includes(kind) && extensions.every((name) => formats[name]);
    if (!isKnown) {
      const expected = `expected ${kinds.join(', ')} = some of ${Object.keys(formats).join('+')}`;
      context.addIssue(`“${one}” is no export: ${expected}`);
      return z.NEVER;
    }
    policy[nativePrefix + kind] = extensions.map((extension) => ({
      extension,
      mimeType: formats[extension] ?? '',
    }));
  }
  return policy;
});

export const defaultExports = 'document=docx+txt spreadsheet=xlsx+csv presentation=pdf drawing=png';
