/** Why one image of a batch is not answered: a code of google.rpc.Code and a text. */
export class ImageError extends Error {
  override name = 'ImageError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
