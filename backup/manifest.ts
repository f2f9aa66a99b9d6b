import { z } from 'zod';

/** Counts up when an older `restore` could not read what `backup` writes. */
export const BACKUP_FORMAT = 1;
export const MANIFEST = 'manifest.json';

const count = z.number().int().nonnegative();

/** A file of the backup; the path begins at its folder. */
const fileSchema = z.object({ path: z.string(), bytes: count, sha256: z.string().length(64) });

const tableSchema = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  file: fileSchema,
});

const databaseSchema = z.object({
  service: z.string(),
  /** Which migrations made the tables, by name and SHA-256: a restore makes the same ones. */
  migrations: z.array(z.object({ name: z.string(), sha256: z.string() })),
  /** In the order in which rows can be put in: what is referred to comes first. */
  tables: z.array(tableSchema),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), value: z.string() })),
});

/** `end`: how far the topic had been written; `handled`: what every group had handled by then, for certain. */
const positionSchema = z.object({ topic: z.string(), partition: count, handled: count, end: count });

const blobsSchema = z.object({
  count,
  bytes: count,
  list: fileSchema,
  /** What kept them; left out by 0.1.0. */
  in: z.enum(['s3', 'folder']).optional(),
});

export const manifestSchema = z.object({
  format: z.number().int(),
  /** Release that wrote it. */
  release: z.string(),
  createdAt: z.string(),
  /** How long writers of events waited for the cut through all databases, in ms. */
  pausedMs: z.number(),
  databases: z.array(databaseSchema),
  blobs: blobsSchema,
  /** The key that the installation made for its services, where it was given none: events in the outboxes are signed with it. */
  key: fileSchema.optional(),
  positions: z.array(positionSchema),
});

export type BackupFile = z.infer<typeof fileSchema>;
export type TableCopy = z.infer<typeof tableSchema>;
export type DatabaseCopy = z.infer<typeof databaseSchema>;
export type TopicPosition = z.infer<typeof positionSchema>;
export type BlobsCopy = z.infer<typeof blobsSchema>;
export type Manifest = z.infer<typeof manifestSchema>;
