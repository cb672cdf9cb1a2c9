import { GoogleError } from '../googleError.ts';

export const invalid = (message: string) => new GoogleError(400, 'invalidArgument', message);
export const notFound = (message: string) => new GoogleError(404, 'notFound', message);
export const alreadyExists = (message: string) => new GoogleError(409, 'alreadyExists', message);
/** The JSON API answers 400 with this reason; gRPC has a code of its own. */
export const failedPrecondition = (message: string) => new GoogleError(400, 'failedPrecondition', message);
export const unimplemented = (message: string) => new GoogleError(501, 'notImplemented', message);
export const unavailable = (message: string) => new GoogleError(503, 'backendError', message);
