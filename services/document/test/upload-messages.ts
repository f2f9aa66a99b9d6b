import type { MessageInitShape } from '@bufbuild/protobuf';
import { documentV1 } from '@ragmesh/contracts';

type Header = MessageInitShape<typeof documentV1.UploadHeaderSchema>;
type Message = MessageInitShape<typeof documentV1.UploadRequestSchema>;

/**
 * What a caller streams to upload something.
 * @param header a text for the collection `default`, unless it says otherwise.
 * @param pieceBytes it is sent in pieces of this size; at once without it.
 */
export async function* uploadMessages(
  header: Header,
  content: string | Uint8Array,
  pieceBytes = Infinity,
): AsyncGenerator<Message> {
  const value = { kind: documentV1.UploadKind.TEXT, collection: 'default', ...header };
  yield { part: { case: 'header', value } };
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    yield { part: { case: 'data', value: bytes.subarray(at, at + pieceBytes) } };
  yield { part: { case: 'complete', value: true } };
}
