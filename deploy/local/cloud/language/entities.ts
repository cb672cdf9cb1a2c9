import compromise from 'compromise';
import type { Parsed, Span } from './syntax.ts';

export type Entity = { name: string; type: string; mentions: Span[] };

/** wink's kinds of values, by Google's names. */
const valueTypes: Record<string, string> = {
  DATE: 'DATE',
  MONEY: 'PRICE',
  CARDINAL: 'NUMBER',
  ORDINAL: 'NUMBER',
  PERCENT: 'NUMBER',
};

/** Google ignores what is beyond. https://cloud.google.com/natural-language/quotas#content_limits */
const mostMentions = 5000;

/** People, places and organisations by compromise, dates, numbers and prices by wink; in the order of the text. */
export function findEntities(text: string, { values }: Parsed): Entity[] {
  const doc = compromise(text);
  const mentions = [
    ...mentionsIn(text, doc.people(), 'PERSON'),
    ...mentionsIn(text, doc.places(), 'LOCATION'),
    ...mentionsIn(text, doc.organizations(), 'ORGANIZATION'),
    ...values.flatMap((value) => {
      const type = valueTypes[value.type];
      return type ? { ...value, type } : [];
    }),
  ];
  // The sort is stable: of two mentions that overlap, the one that begins first counts, then the one named first.
  const apart: Mention[] = [];
  let end = 0;
  for (const mention of mentions.sort((a, b) => a.begin - b.begin)) {
    if (mention.begin < end) continue;
    apart.push(mention);
    end = mention.begin + mention.content.length;
  }

  const entities = new Map<string, Entity>();
  for (const { type, begin, content } of apart.slice(0, mostMentions)) {
    const key = `${type} ${content.toLowerCase()}`;
    const entity = entities.get(key) ?? { name: content, type, mentions: [] };
    entity.mentions.push({ begin, content });
    entities.set(key, entity);
  }
  return [...entities.values()];
}

type Mention = Span & { type: string };
type Term = { text: string; offset: { start: number; length: number } };

/** Without the punctuation around them and without a possessive 's. What is not found where it should be is left out. */
function mentionsIn(text: string, found: { json(options: object): unknown }, type: string): Mention[] {
  return (found.json({ offset: true }) as { terms: Term[] }[]).flatMap(({ terms }) => {
    const [first, last] = [terms[0], terms.at(-1)];
    if (!first || !last) return [];
    const begin = first.offset.start;
    const whole = text.slice(begin, last.offset.start + last.offset.length);
    if (!whole.startsWith(first.text) || !whole.endsWith(last.text)) return [];
    const content = whole.replace(/['’]s?$/, '');
    return content ? { type, begin, content } : [];
  });
}

/** A name has a capital somewhere; a number is neither a name nor a noun. */
export function mentionType(type: string, content: string): string {
  if (Object.values(valueTypes).includes(type)) return 'TYPE_UNKNOWN';
  return /\p{Lu}/u.test(content) ? 'PROPER' : 'COMMON';
}
