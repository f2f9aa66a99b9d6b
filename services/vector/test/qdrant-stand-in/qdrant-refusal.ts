/** A request Qdrant refuses, with the status and the words it uses. */
export class QdrantRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const notFound = (collection: string): QdrantRefusal =>
  new QdrantRefusal(404, `Not found: Collection \`${collection}\` doesn't exist!`);

export const wrongInput = (message: string, status = 400): QdrantRefusal =>
  new QdrantRefusal(status, `Wrong input: ${message}`);

/** What Rust's parser says; it names the end of the body as the place where nothing matched. */
export const badFormat = (message: string, body?: string): QdrantRefusal => {
  const place = body === undefined ? '' : ` at line 1 column ${body.length}`;
  return new QdrantRefusal(400, `Format error in JSON body: ${message}${place}`);
};

export const failedValidation = (message: string): QdrantRefusal =>
  new QdrantRefusal(422, `Validation error in JSON body: [${message}]`);
