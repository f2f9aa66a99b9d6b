import { documentService } from '@ragmesh/service-document';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const all = documentService.config.variables;
const variables = {
  ...{ S3_BUCKET: all.S3_BUCKET, S3_ENDPOINT: all.S3_ENDPOINT, S3_REGION: all.S3_REGION },
  ...{ S3_ACCESS_KEY_ID: all.S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: all.S3_SECRET_ACCESS_KEY },
  ...{ S3_FORCE_PATH_STYLE: all.S3_FORCE_PATH_STYLE },
};

/** Whether the bucket is there and lets us in, where uploads are kept in one. */
export async function checkBlobStore(situation: Situation): Promise<Finding[]> {
  const config = read(situation, variables);
  if (config?.S3_BUCKET === undefined) return [];
  const { S3_BUCKET: bucket, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  const { HeadBucketCommand, S3Client } = await import('@aws-sdk/client-s3'); // 35 MB that most do without
  const client = new S3Client({
    ...{ region: config.S3_REGION, forcePathStyle: config.S3_FORCE_PATH_STYLE, maxAttempts: 1 },
    ...(config.S3_ENDPOINT ? { endpoint: config.S3_ENDPOINT } : {}),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000 },
  });
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return [];
  } catch (error) {
    const { $metadata, name, code } = error as { $metadata?: { httpStatusCode?: number }; name: string; code?: string };
    return [unusable(bucket, $metadata?.httpStatusCode, code ?? name)];
  } finally {
    client.destroy();
  }
}

function unusable(bucket: string, status: number | undefined, reason: string): Finding {
  const why = 'Uploads are refused, and documents that wait to be read cannot be.';
  if (status === 404)
    return fault(
      `There is no bucket ${bucket}.`,
      why,
      `aws s3 mb s3://${bucket}, or correct S3_BUCKET and S3_ENDPOINT`,
    );
  if (status === 401 || status === 403)
    return fault(
      `The bucket ${bucket} refuses us (status ${status}).`,
      why,
      'check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and S3_REGION; the key needs s3:GetObject, PutObject, DeleteObject, ListBucket, ListBucketMultipartUploads and AbortMultipartUpload',
    );
  return fault(`The object store of ${bucket} gives no answer (${reason}).`, why, 'check S3_ENDPOINT and S3_REGION');
}
