import { createRequire } from 'node:module';
import type { protos } from '@google-cloud/pubsub';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON, type MessageTypeDefinition } from '@grpc/proto-loader';

export type Topic = protos.google.pubsub.v1.ITopic;
export type Subscription = protos.google.pubsub.v1.ISubscription;
export type PubsubMessage = protos.google.pubsub.v1.IPubsubMessage;
export type Duration = protos.google.protobuf.IDuration;

type V1 = typeof protos.google.pubsub.v1;
/** What a client sends: `Request<'GetTopicRequest'>`. */
export type Request<Name extends keyof V1> = V1[Name] extends new (
  properties?: infer P,
) => unknown
  ? NonNullable<P>
  : never;

/** The protos, as they lie in Google's own client library. */
export const protosFile = createRequire(import.meta.url).resolve(
  '@google-cloud/pubsub/build/protos/protos.json',
);

const loaded = fromJSON(createRequire(import.meta.url)(protosFile), {
  longs: Number,
  enums: String,
  arrays: true,
  objects: true,
}) as Record<string, unknown>;

/** Pub/Sub's gRPC services. SchemaService is left out, and so answers UNIMPLEMENTED. */
export const services = ['Publisher', 'Subscriber'].map(
  (name) => loaded[`google.pubsub.v1.${name}`] as ServiceDefinition,
);

/** A method as the `google.api.http` annotation of the protos puts it into HTTP. https://google.aip.dev/127 */
export type HttpMethod = {
  /** `createTopic` */
  name: string;
  verb: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** A request path, with a group for each field that it names: `/v1/(projects/[^/]+/topics/[^/]+):publish` */
  path: RegExp;
  /** The field that each group of `path` gives, `topic.name` being the name in the topic. */
  fields: string[];
  request: string;
  response: string;
};

export const httpMethods: HttpMethod[] = services.flatMap((service) =>
  Object.values(service).flatMap((method) => {
    const { options, originalName, requestType, responseType } = method as typeof method & {
      options: Record<string, Record<string, string>>;
      requestType: MessageTypeDefinition<object, object>;
      responseType: MessageTypeDefinition<object, object>;
    };
    const rule = Object.entries(options['(google.api.http)'] ?? {}).find(([key]) => key !== 'body');
    if (!rule) return [];
    const [verb, template] = rule as [HttpMethod['verb'], string];
    const fields = [...template.matchAll(/\{([\w.]+)=/g)].map(([, field]) => field as string);
    const path = template.replace(/\{[\w.]+=([^}]*)\}/g, '($1)').replaceAll('*', '[^/:]+');
    const nameOf = ({ type }: typeof requestType) => (type as { name: string }).name;
    return {
      name: originalName as string,
      verb,
      path: new RegExp(`^${path}$`),
      fields,
      request: nameOf(requestType),
      response: nameOf(responseType),
    };
  }),
);
