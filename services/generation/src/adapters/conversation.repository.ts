import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, type ListPosition, type SqlTransaction, microsOf } from '@ragmesh/postgres';
import { checkConversationId } from '../domain/conversation-id.js';
import type { Speaker } from '../domain/speaker.js';
import { keepable, type KeptTurn, type NewTurn, type Turn } from '../domain/turn.js';
import { WithdrawalRepository } from './withdrawal.repository.js';

/** Newest turns kept of one conversation; older ones go as new ones come, so that none grows without end. */
export const MAX_TURNS = 1_000;

/** A conversation without its turns. */
export interface ConversationRow {
  readonly id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly created_micros: string;
  readonly turns: number;
}

const COLUMNS = `id, created_at, updated_at, ${microsOf('created_at')} AS created_micros,
  least(last_ordinal, ${MAX_TURNS}) AS turns`;

const EXTEND = `
  INSERT INTO conversation AS c (tenant, id, last_ordinal, subject) VALUES ($1, $2, $3, $4)
  ON CONFLICT (tenant, id) DO UPDATE SET last_ordinal = c.last_ordinal + $3, updated_at = now()
  WHERE $5::text IS NULL OR c.subject = $5
  RETURNING last_ordinal`;

const RECENT = `
  SELECT role, text FROM conversation_turn AS t WHERE tenant = $1 AND conversation_id = $2 AND NOT withdrawn
    AND NOT (role = 'user' AND EXISTS (SELECT FROM conversation_turn AS answer
      WHERE answer.tenant = $1 AND answer.conversation_id = $2 AND answer.ordinal = t.ordinal + 1 AND answer.withdrawn))
    AND EXISTS (SELECT FROM conversation WHERE tenant = $1 AND id = $2 AND ($4::text IS NULL OR subject = $4))
  ORDER BY ordinal DESC LIMIT $3`;

const ADD_TURN = `
  INSERT INTO conversation_turn (tenant, conversation_id, ordinal, role, text, request_id, document_ids, collection, withdrawn)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

/** Of whose conversations a speaker sees only those; null for everybody's. */
const onlyOf = ({ subject, seesAll }: Speaker): string | null => (seesAll ? null : subject);

/**
 * Conversations of one speaker at a time, or of a whole tenant for one who sees them all. One of another tenant, or of somebody
 * else, is one that is not there.
 */
@Injectable()
export class ConversationRepository {
  constructor(
    private readonly database: Database,
    private readonly withdrawals: WithdrawalRepository,
  ) {}

  /**
   * The last `limit` turns, oldest first, without answers that were taken back and without their questions; none for a conversation
   * that is not there.
   */
  async recentTurns(speaker: Speaker, conversationId: string, limit: number): Promise<Turn[]> {
    const values = [speaker.tenant, conversationId, limit, onlyOf(speaker)];
    return (await this.database.query<Turn>(RECENT, values)).rows.toReversed();
  }

  /** The conversation, `begun` as the speaker's when it was not there. @throws RagmeshError CONVERSATION.NOT_FOUND. */
  async begin(speaker: Speaker, id: string): Promise<ConversationRow & { readonly begun: boolean }> {
    const sql = 'INSERT INTO conversation (tenant, id, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
    const { rowCount } = await this.database.query(sql, [speaker.tenant, id, speaker.subject]);
    return { ...(await this.get(speaker, id)), begun: rowCount === 1 };
  }

  /**
   * Adds turns at the end, all or none, and begins the conversation when it is not there. Turns of one call stand together,
   * also when several calls come at once.
   * @throws RagmeshError REQUEST.INVALID for an id that cannot be one, CONVERSATION.NOT_FOUND for somebody else's.
   */
  async append(speaker: Speaker, conversationId: string, turns: readonly NewTurn[]): Promise<void> {
    const place = [speaker.tenant, checkConversationId(conversationId)];
    if (turns.length === 0) return;
    await this.database.transaction(async (tx) => {
      const values = [...place, turns.length, speaker.subject, onlyOf(speaker)];
      const { rows } = await tx.query<{ last_ordinal: number }>(EXTEND, values);
      const last = rows[0]?.last_ordinal;
      if (last === undefined) throw notFound(conversationId);
      for (const [position, turn] of turns.entries())
        await this.addTurn(tx, place, last - turns.length + 1 + position, turn);
      if (last > MAX_TURNS) {
        const dropped = 'DELETE FROM conversation_turn WHERE tenant = $1 AND conversation_id = $2 AND ordinal <= $3';
        tx.write(dropped, [...place, last - MAX_TURNS]);
      }
    });
  }

  /** One that cites what was taken back while it was being written is kept without its text. */
  private async addTurn(tx: SqlTransaction, place: readonly string[], ordinal: number, turn: NewTurn): Promise<void> {
    const { role, requestId = '', collection = '', readAt = performance.now() } = turn;
    const documentIds = (turn.documentIds ?? []).map(keepable);
    const origin = { tenant: place[0]!, collection, documentIds, readAt };
    const isTakenBack = await this.withdrawals.isTakenBack(tx, origin);
    const kept = isTakenBack ? ['', keepable(requestId), []] : [keepable(turn.text), keepable(requestId), documentIds];
    tx.write(ADD_TURN, [...place, ordinal, role, ...kept, collection, isTakenBack]);
  }

  /** @throws RagmeshError CONVERSATION.NOT_FOUND. */
  async get(speaker: Speaker, id: string): Promise<ConversationRow> {
    const sql = `SELECT ${COLUMNS} FROM conversation WHERE tenant = $1 AND id = $2 AND ($3::text IS NULL OR subject = $3)`;
    const { rows } = await this.database.query<ConversationRow>(sql, [speaker.tenant, id, onlyOf(speaker)]);
    if (!rows[0]) throw notFound(id);
    return rows[0];
  }

  /** Turns from the one after `ordinal`, oldest first, of a conversation that {@link get} gave. */
  async turns(tenant: string, id: string, ordinal: number, limit: number): Promise<KeptTurn[]> {
    const sql = `
      SELECT ordinal, role, text, request_id AS "requestId", document_ids AS "documentIds", withdrawn, created_at AS "createdAt"
      FROM conversation_turn WHERE tenant = $1 AND conversation_id = $2 AND ordinal > $3 ORDER BY ordinal LIMIT $4`;
    return (await this.database.query<KeptTurn>(sql, [tenant, id, ordinal, limit])).rows;
  }

  /** Newest first, from the one after `position`. */
  async list(speaker: Speaker, limit: number, position?: ListPosition): Promise<ConversationRow[]> {
    const sql = `SELECT ${COLUMNS} FROM conversation WHERE tenant = $1 AND ($5::text IS NULL OR subject = $5)
        AND ($3::bigint IS NULL OR (created_at, id) < (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::text))
      ORDER BY created_at DESC, id DESC LIMIT $2`;
    const values = [speaker.tenant, limit, position?.createdMicros ?? null, position?.id ?? null, onlyOf(speaker)];
    return (await this.database.query<ConversationRow>(sql, values)).rows;
  }

  /** Removes it with all its turns. @returns how many there were. @throws RagmeshError CONVERSATION.NOT_FOUND. */
  async delete(speaker: Speaker, id: string): Promise<number> {
    const { tenant } = speaker;
    return this.database.transaction(async (tx) => {
      const lock = `SELECT FROM conversation WHERE tenant = $1 AND id = $2 AND ($3::text IS NULL OR subject = $3) FOR UPDATE`;
      if ((await tx.query(lock, [tenant, id, onlyOf(speaker)])).rowCount === 0) throw notFound(id);
      const turns = 'DELETE FROM conversation_turn WHERE tenant = $1 AND conversation_id = $2';
      const { rowCount } = await tx.query(turns, [tenant, id]);
      tx.write('DELETE FROM conversation WHERE tenant = $1 AND id = $2', [tenant, id]);
      return rowCount;
    });
  }
}

const notFound = (id: string): RagmeshError =>
  new RagmeshError('CONVERSATION.NOT_FOUND', `There is no conversation "${id}".`, { id });
