import { withoutTimes } from './withoutTimes.ts';

/** Instead of the library's, which tells when it was made. */
const properties = {
  path: 'docProps/core.xml',
  data:
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' +
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>',
};

export async function toWord(text: string): Promise<Buffer> {
  const { Document, Packer, Paragraph } = await import('docx');
  const children = text.split(/\r?\n/).map((line) => new Paragraph(line));
  const document = new Document({ sections: [{ children }] });
  return withoutTimes(await Packer.toBuffer(document, undefined, [properties]));
}
