import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import express, { type Request } from 'express';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import { versionsOf } from '../models.ts';
import { loadProtoJson, type ProtoJson, wantsNumericEnums } from '../protoJson.ts';
import type { Context, ReadObject, Service } from '../service.ts';
import { createWorkers, WorkerError } from '../workers.ts';
import type { EncodingType } from './offsets.ts';
import type { TextJob } from './worker.ts';

type Document = {
  type?: string;
  content?: string;
  gcsContentUri?: string;
  language?: string;
  languageCode?: string;
};
type AnalyzeRequest = {
  document?: Document;
  encodingType?: EncodingType;
  features?: Record<string, boolean>;
};
type Features = TextJob['features'];

/** What each method answers; `annotateText` says it in its request. */
const methods: Record<string, Features> = {
  analyzeSentiment: { sentiment: true },
  analyzeEntities: { entities: true },
  analyzeEntitySentiment: { entitySentiment: true },
  analyzeSyntax: { syntax: true },
  annotateText: {},
};
/** The words of Google's error messages. */
const featureNames = {
  syntax: 'syntax',
  sentiment: 'document_sentiment',
  entities: 'entity',
  entitySentiment: 'entity_sentiment',
};
/** https://cloud.google.com/natural-language/quotas#content_limits */
const mostBytes = 1_000_000;

/**
 * Natural Language v1 and v2 for English, by models that run here.
 * https://cloud.google.com/natural-language/docs/reference/rest
 */
export function createLanguage(_context: Context, { readObject }: { readObject: ReadObject }): Service {
  const workers = createWorkers<TextJob, string>(new URL('./worker.ts', import.meta.url), {
    size: 1,
    milliseconds: 60_000,
  });
  let protos: Promise<ProtoJson> | undefined;
  const read = async (type: string, { body }: Request): Promise<AnalyzeRequest> => {
    protos ??= loadProtoJson(
      createRequire(import.meta.url).resolve('@google-cloud/language/build/protos/protos.json'),
    );
    return (await protos).read(`google.cloud.language.${type}`, body ?? {});
  };

  const router = express
    .Router()
    .use(...jsonBody(10 * 2 ** 20))
    .post(/^\/(v[12])\/documents:(\w+)$/, async (request, response) => {
      const [version, method] = [request.params[0] as 'v1' | 'v2', request.params[1] ?? ''];
      if (!methodExists(version, method)) {
        throw new GoogleError(404, 'notFound', `${version} has no method documents:${method}`);
      }
      const message = method.charAt(0).toUpperCase() + method.slice(1);
      const asked = await read(`${version}.${message}Request`, request);
      const features = featuresOf(method, asked);
      const text = await textOf(asked.document ?? {}, readObject);
      checkLanguage(asked.document ?? {}, text, features);
      response.locals.detail = { op: `documents.${method}`, version, features, characters: text.length };
      const answer = await workers
        .ask({
          text,
          version,
          response: `${message}Response`,
          features,
          encoding: asked.encodingType ?? 'NONE',
          numericEnums: wantsNumericEnums(request.query),
        })
        .catch(failed);
      response.type('json').send(answer);
    });

  return {
    name: 'language',
    owns: /^\/v[12]\/documents:/,
    router,
    pending: () => 0,
    models: versionsOf('wink-nlp', 'wink-eng-lite-web-model', 'compromise', 'vader-sentiment'),
    close: () => workers.close(),
  };
}

function methodExists(version: string, method: string): boolean {
  if (method === 'classifyText' || method === 'moderateText') return true;
  return Object.hasOwn(methods, method) && (version === 'v1' || !/Syntax|EntitySentiment/.test(method));
}

function featuresOf(method: string, { features = {} }: AnalyzeRequest): Features {
  for (const missing of ['classifyText', 'moderateText']) {
    if (method === missing || features[missing])
      throw new GoogleError(501, 'notImplemented', `${missing} is not available from the local models`);
  }
  if (method !== 'annotateText') return methods[method] ?? {};
  const asked: Features = {
    syntax: features.extractSyntax ?? false,
    sentiment: features.extractDocumentSentiment ?? false,
    entities: features.extractEntities ?? false,
    entitySentiment: features.extractEntitySentiment ?? false,
  };
  if (!Object.values(asked).includes(true)) throw invalid('Must specify at least one feature.');
  return asked;
}

async function textOf({ type, content, gcsContentUri }: Document, readObject: ReadObject): Promise<string> {
  if (type !== 'PLAIN_TEXT') {
    throw invalid(
      `document.type must be PLAIN_TEXT for the local models, not ${type ?? 'TYPE_UNSPECIFIED'}.`,
    );
  }
  const text = content ?? (await textOfObject(gcsContentUri, readObject));
  checkSize(Buffer.byteLength(text));
  return text;
}

async function textOfObject(uri: string | undefined, readObject: ReadObject): Promise<string> {
  if (!uri) throw invalid('One of content or gcs_content_uri must be set.');
  const [, bucket = '', name = ''] = /^gs:\/\/([^/]+)\/(.+)$/s.exec(uri) ?? [];
  if (!bucket) throw invalid(`Invalid gcs_content_uri: ${uri}`);
  const object = readObject(bucket, name);
  if (!object) throw new GoogleError(404, 'notFound', `Error opening file: ${uri}`);
  checkSize(object.size);
  const bytes = await readFile(object.path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`${uri} is not UTF-8.`);
  }
}

function checkSize(bytes: number): void {
  if (bytes > mostBytes) throw invalid(`The document has ${bytes} bytes, more than ${mostBytes}.`);
}

/** What is not marked counts as English if it is written in Latin letters: no model here tells languages apart. */
function checkLanguage({ language, languageCode }: Document, text: string, features: Features): void {
  const given = language || languageCode;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (given ? /^en\b/i.test(given) : latin >= letters / 2) return;
  const feature =
    (Object.keys(featureNames) as (keyof Features)[]).find((name) => features[name]) ?? 'syntax';
  const analysis = featureNames[feature];
  throw invalid(`The language ${given || 'und'} is not supported for ${analysis} analysis.`);
}

const invalid = (message: string) => new GoogleError(400, 'badRequest', message);

function failed(error: unknown): never {
  if (!(error instanceof WorkerError)) throw error;
  const [code, reason] = error.reason === 'threw' ? [500, 'backendError'] : [503, 'unavailable'];
  throw new GoogleError(code as number, reason as string, `The local model failed: ${error.message}`);
}
