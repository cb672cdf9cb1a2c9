/** One of the files that a Google-native file becomes. */
export type Export = { mimeType: string; extension: string };

const office = 'application/vnd.openxmlformats-officedocument';

/**
 * What a Google-native file is exported to; other native types (forms, sites, maps) have no bytes to bring.
 * https://developers.google.com/workspace/drive/api/guides/ref-export-formats
 */
export const exportsOf: Record<string, Export[]> = {
  'application/vnd.google-apps.document': [
    { mimeType: `${office}.wordprocessingml.document`, extension: 'docx' },
    { mimeType: 'text/plain', extension: 'txt' },
  ],
  'application/vnd.google-apps.spreadsheet': [
    { mimeType: `${office}.spreadsheetml.sheet`, extension: 'xlsx' },
  ],
  'application/vnd.google-apps.presentation': [{ mimeType: 'application/pdf', extension: 'pdf' }],
  'application/vnd.google-apps.drawing': [{ mimeType: 'image/png', extension: 'png' }],
};

export const isNative = (mimeType: string) => mimeType.startsWith('application/vnd.google-apps.');
