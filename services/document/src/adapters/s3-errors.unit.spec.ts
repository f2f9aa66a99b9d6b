import { describe, expect, it } from '@jest/globals';
import { asS3Error } from './s3-errors.js';

describe('what S3 answers', () => {
  it.each(['NoSuchKey', 'NotFound', 'NoSuchUpload'])(
    '%s says that something is gone, not that the server fails',
    (name) => {
      const failure = Object.assign(new Error('gone'), { name, $metadata: { httpStatusCode: 404 } });
      expect(asS3Error(failure)).toMatchObject({ code: 'BLOB.NOT_FOUND', retry: 'permanent' });
    },
  );
});
