import { createRequire } from 'node:module';
import { loadProtoJson } from '../protoJson.ts';
import { answerJobs } from '../workers.ts';
import { findEntities, mentionType } from './entities.ts';
import { type EncodingType, offsetsIn } from './offsets.ts';
import { type Sentiment, sentimentOf, together } from './sentiment.ts';
import { parse, type Span, tokenOf } from './syntax.ts';

export type TextJob = {
  text: string;
  version: 'v1' | 'v2';
  /** The message to answer with, for example `AnalyzeSyntaxResponse`. */
  response: string;
  features: { syntax?: boolean; sentiment?: boolean; entities?: boolean; entitySentiment?: boolean };
  encoding: EncodingType;
  numericEnums: boolean;
};

const protos = loadProtoJson(
  createRequire(import.meta.url).resolve('@google-cloud/language/build/protos/protos.json'),
);

/** The response as JSON text: it can be long, and is only passed on. */
answerJobs<TextJob, string>(async ({ text, version, response, features, encoding, numericEnums }) => {
  const language = version === 'v1' ? { language: 'en' } : { languageCode: 'en', languageSupported: true };
  const message = { ...analyse(text, features, offsetsIn(text, encoding)), ...language };
  const type = `google.cloud.language.${version}.${response}`;
  return JSON.stringify((await protos).write(type, message, { numericEnums }));
});

function analyse(text: string, features: TextJob['features'], offset: (index: number) => number): object {
  const parsed = parse(text);
  const spanOf = ({ begin, content }: Span) => ({ content, beginOffset: offset(begin) });
  const sentences = parsed.sentences.map((sentence) => ({
    ...sentence,
    ...((features.sentiment || features.entitySentiment) && { sentiment: sentimentOf(sentence.content) }),
  }));
  const sentiments = sentences.flatMap(({ sentiment }) => sentiment ?? []);

  /** No model here knows what a sentence feels about whom: the feeling of the sentence counts for all it mentions. */
  const sentimentAt = (index: number): Sentiment =>
    sentences.findLast(({ begin }) => begin <= index)?.sentiment ?? { score: 0, magnitude: 0 };
  const entities = () =>
    findEntities(text, parsed).map(({ name, type, mentions }) => ({
      name,
      type,
      // Salience stays 0, which means unknown here.
      mentions: mentions.map((mention) => ({
        text: spanOf(mention),
        type: mentionType(type, mention.content),
        ...(features.entitySentiment && { sentiment: sentimentAt(mention.begin) }),
      })),
      ...(features.entitySentiment && {
        sentiment: together(mentions.map(({ begin }) => sentimentAt(begin))),
      }),
    }));

  return {
    ...((features.syntax || features.sentiment) && {
      sentences: sentences.map(({ begin, content, sentiment }) => ({
        text: spanOf({ begin, content }),
        ...(features.sentiment && sentiment && { sentiment }),
      })),
    }),
    ...(features.syntax && { tokens: parsed.words.map((word) => tokenOf(word, offset)) }),
    ...((features.entities || features.entitySentiment) && { entities: entities() }),
    ...(features.sentiment && { documentSentiment: together(sentiments) }),
  };
}
