import { readFile } from 'node:fs/promises';
import { fromProto3JSON, toProto3JSON } from 'proto3-json-serializer';
import { type Enum, type Field, type INamespace, Root, type Type } from 'protobufjs';
import { GoogleError } from './googleError.ts';

/** JSON as Google's servers read and write it, after the protos that come with Google's client libraries. */
export type ProtoJson = {
  /**
   * Fields in lowerCamelCase, enums as names, bytes as `Uint8Array`. Throws a 400 with Google's words if a field is
   * unknown or has a value that is not of its type.
   */
  read(type: string, json: unknown): object;
  /** Without the fields that have their default value: `{ x: 0, y: 5 }` becomes `{"y":5}`, as at Google. */
  write(type: string, message: object, options: { numericEnums: boolean }): object;
};

type Message = Parameters<typeof toProto3JSON>[0];
type SerializerType = Parameters<typeof fromProto3JSON>[0];

/** @param protos the path of the `protos.json` in a client library's package */
export async function loadProtoJson(protos: string): Promise<ProtoJson> {
  const root = Root.fromJSON(JSON.parse(await readFile(protos, 'utf8')) as INamespace).resolveAll();
  return {
    read(typeName, json) {
      const type = root.lookupType(typeName);
      // The serializer skips what it does not know, which would hide a misspelled field; hence the check before it.
      const message = fromProto3JSON(type as object as SerializerType, checked(type, json, '') as never);
      return type.toObject(message as object as Message & { $type: Type }, { enums: String, longs: String });
    },
    write(typeName, message, options) {
      const type = root.lookupType(typeName);
      // It is `fromObject` that leaves out what has its default value.
      return toProto3JSON(type.fromObject(message) as object as Message, options) as object;
    },
  };
}

/** What a generated client adds to the query to get its enums as numbers. https://google.aip.dev/127 */
export const wantsNumericEnums = (query: Record<string, unknown>): boolean =>
  query.$alt === 'json;enum-encoding=int';

function checked(type: Type, json: unknown, at: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(at, type.fullName, json);
  const message: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    const name = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    if (!field) {
      const where = at && ` at '${at}'`;
      throw invalid(`Invalid JSON payload received. Unknown name "${key}"${where}: Cannot find field.`);
    }
    if (value === null) continue;
    const path = at ? `${at}.${key}` : key;
    const rival = field.partOf?.oneof.find((other) => other !== name && other in message);
    if (rival) {
      const oneof = field.partOf?.name;
      throw invalid(`Invalid value at '${at}' (oneof), oneof field '${oneof}' is already set.`);
    }
    message[name] = checkedField(field, value, path);
  }
  return message;
}

function checkedField(field: Field, value: unknown, at: string): unknown {
  if (field.map) {
    if (typeof value !== 'object' || Array.isArray(value)) throw wrong(at, field.type, value);
    const entries = Object.entries(value as object);
    return Object.fromEntries(entries.map(([key, one]) => [key, checkedValue(field, one, `${at}[${key}]`)]));
  }
  if (!field.repeated) return checkedValue(field, value, at);
  if (!Array.isArray(value)) throw wrong(at, field.type, value);
  return value.map((one, index) => checkedValue(field, one, `${at}[${index}]`));
}

/** Messages that are strings in JSON: `"1.5s"`. https://protobuf.dev/programming-guides/json/ */
const strings: Record<string, RegExp> = {
  '.google.protobuf.Duration': /^-?\d{1,12}(\.\d{1,9})?s$/,
  '.google.protobuf.Timestamp': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/,
  '.google.protobuf.FieldMask': /^[\w.,]*$/,
};

function checkedValue({ type, resolvedType }: Field, value: unknown, at: string): unknown {
  const string = strings[resolvedType?.fullName ?? ''];
  if (string) {
    if (typeof value !== 'string' || !string.test(value))
      throw wrong(at, resolvedType?.fullName ?? '', value);
    return value;
  }
  if (resolvedType && 'fields' in resolvedType) return checked(resolvedType, value, at);
  const right = resolvedType ? isOfEnum(resolvedType as Enum, value) : isOfScalar(type, value);
  if (!right) throw wrong(at, resolvedType?.fullName ?? `.TYPE_${type.toUpperCase()}`, value);
  return value;
}

function isOfEnum({ values, valuesById }: Enum, value: unknown): boolean {
  if (typeof value === 'number') return value in valuesById;
  return typeof value === 'string' && Object.hasOwn(values, value);
}

function isOfScalar(type: string, value: unknown): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'bytes') return typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return false;
  if (type === 'float' || type === 'double') return true;
  return Number.isInteger(number) && (!type.endsWith('32') || (number | 0) === number);
}

function wrong(at: string, type: string, value: unknown): GoogleError {
  const shown = JSON.stringify(value)?.slice(0, 100);
  const url = type.startsWith('.google') ? `type.googleapis.com/${type.slice(1)}` : type.slice(1);
  return invalid(`Invalid value at '${at}' (${url}), ${shown}`);
}

const invalid = (message: string) => new GoogleError(400, 'badRequest', message);
