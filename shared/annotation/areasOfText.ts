import type { protos } from '@google-cloud/language';
import type { AreaOfInterest } from './areasOfInterest.ts';

type TextResponse = protos.google.cloud.language.v1.IAnnotateTextResponse;

/**
 * The words and entities of a text, in one flat list, each with its place in the text.
 * https://cloud.google.com/natural-language/docs/reference/rest/v1/documents/annotateText
 */
export function areasOfText({ tokens, entities }: TextResponse): AreaOfInterest[] {
  const words = (tokens ?? [])
    .filter(({ partOfSpeech }) => partOfSpeech?.tag !== 'PUNCT')
    .map(({ text, partOfSpeech, lemma }) => ({
      kind: 'word' as const,
      label: text?.content ?? '',
      confidence: null,
      ...spanOf(text),
      about: { partOfSpeech: String(partOfSpeech?.tag ?? 'UNKNOWN'), lemma: lemma ?? '' },
    }));
  const mentions = (entities ?? []).flatMap(({ name, type, mentions }) =>
    (mentions ?? []).map(({ text }) => ({
      kind: 'entity' as const,
      label: text?.content ?? name ?? '',
      confidence: null,
      ...spanOf(text),
      about: { type: String(type ?? 'UNKNOWN'), entity: name ?? '' },
    })),
  );
  return [...words, ...mentions];
}

/** An offset of -1 means that the service was not told the encoding; no place is better than a wrong one. */
function spanOf(
  text: protos.google.cloud.language.v1.ITextSpan | null | undefined,
): Pick<AreaOfInterest, 'span'> {
  const begin = text?.beginOffset ?? 0;
  return begin < 0 ? {} : { span: { begin, end: begin + (text?.content ?? '').length } };
}
