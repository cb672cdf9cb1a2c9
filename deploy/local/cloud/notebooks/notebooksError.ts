import { GoogleError } from '../googleError.ts';

export const invalid = (message: string) => new GoogleError(400, 'badRequest', message);

export const notFound = (name: string) =>
  new GoogleError(404, 'notFound', `Resource '${name}' was not found`);

/** What Google can do and the local Workbench cannot. */
export const notHere = (what: string) =>
  new GoogleError(501, 'notImplemented', `The local Workbench has no ${what}.`);

/** Another operation is under way on the same instance, which Google says with 409 and ABORTED. */
export class Busy extends GoogleError {
  constructor() {
    super(409, 'aborted', 'unable to queue the operation');
  }
  override toJSON(): object {
    const { code, message, reason } = this;
    return { error: { code, message, status: 'ABORTED', errors: [{ message, domain: 'global', reason }] } };
  }
}
