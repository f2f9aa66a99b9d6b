import { asRagmeshError } from '@ragmesh/errors';
import { counter, histogram } from '@ragmesh/observability';

/** Counts and times one question or search from here to the end of `work`. */
export async function measuringQuery<T>(mode: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    const result = await work();
    counter('rag_queries_total').inc({ mode, status: 'ok' });
    return result;
  } catch (error) {
    const { code } = asRagmeshError(error);
    counter('rag_queries_total').inc({ mode, status: code === 'REQUEST.CANCELLED' ? 'cancelled' : 'error' });
    throw error;
  } finally {
    histogram('rag_query_duration_seconds').observe({ mode }, (performance.now() - started) / 1000);
  }
}
