import model from 'wink-eng-lite-web-model';
import winkNLP from 'wink-nlp';

/** A stretch of the text: where it begins, in UTF-16 units, and its characters. */
export type Span = { begin: number; content: string };
export type Word = Span & { pos: string; lemma: string };
export type Parsed = {
  words: Word[];
  sentences: Span[];
  /** Dates, numbers and the like, with wink's own names for their kinds. */
  values: (Span & { type: string })[];
};

const nlp = winkNLP(model, ['sbd', 'pos', 'ner']);
const { its } = nlp;

/** Google ignores what is beyond. https://cloud.google.com/natural-language/quotas#content_limits */
const mostTokens = 100_000;

/** Words with exact places in the text, sentences, and values. White space belongs to none of them. */
export function parse(text: string): Parsed {
  const doc = nlp.readDoc(text);
  const tokens = doc.tokens();
  const contents = tokens.out(its.value) as string[];
  const spaces = tokens.out(its.precedingSpaces) as string[];
  const kinds = tokens.out(its.pos) as string[];
  // The declaration of `lemma` has one argument more than `out` is declared to give.
  const lemmas = tokens.out(its.lemma as unknown as typeof its.value) as string[];

  let end = 0;
  const all = contents.slice(0, mostTokens).map((content, index): Word => {
    const expected = end + (spaces[index]?.length ?? 0);
    const begin = text.startsWith(content, expected) ? expected : text.indexOf(content, end);
    const pos = kinds[index] ?? 'X';
    if (begin < 0) return { begin: end, content: '', pos: 'SPACE', lemma: '' };
    end = begin + content.length;
    // The lemma of a name is the name; wink would write it small.
    return { begin, content, pos, lemma: pos === 'PROPN' ? content : (lemmas[index] ?? content) };
  });

  const spanOf = ([first, last]: number[]): Span | undefined => {
    const words = all.slice(first, (last ?? 0) + 1).filter(isWord);
    const [from, to] = [words[0], words.at(-1)];
    return from && to && { begin: from.begin, content: text.slice(from.begin, to.begin + to.content.length) };
  };
  const types = doc.entities().out(its.type) as string[];
  return {
    words: all.filter(isWord),
    sentences: (doc.sentences().out(its.span) as number[][]).flatMap((span) => spanOf(span) ?? []),
    values: (doc.entities().out(its.span) as number[][]).flatMap((span, index) => {
      const found = spanOf(span);
      return found ? { ...found, type: types[index] ?? '' } : [];
    }),
  };
}

const isWord = ({ content, pos }: Word) => pos !== 'SPACE' && content.trim() !== '';

/** Universal parts of speech, by the names that Google gives them. */
const tags: Record<string, string> = {
  ADJ: 'ADJ',
  ADP: 'ADP',
  ADV: 'ADV',
  AUX: 'VERB',
  CCONJ: 'CONJ',
  DET: 'DET',
  INTJ: 'X',
  NOUN: 'NOUN',
  NUM: 'NUM',
  PART: 'PRT',
  PRON: 'PRON',
  PROPN: 'NOUN',
  PUNCT: 'PUNCT',
  SCONJ: 'CONJ',
  SYM: 'PUNCT',
  VERB: 'VERB',
};

/** A Token without `dependencyEdge`: no model here knows which word depends on which. */
export function tokenOf({ begin, content, pos, lemma }: Word, offset: (index: number) => number): object {
  const proper = pos === 'PROPN' ? { proper: 'PROPER' } : pos === 'NOUN' ? { proper: 'NOT_PROPER' } : {};
  return {
    text: { content, beginOffset: offset(begin) },
    partOfSpeech: { tag: tags[pos] ?? 'X', ...proper },
    lemma,
  };
}
