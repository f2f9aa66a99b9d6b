const guarded = Symbol('ragmesh.idle-timer-guard');

/**
 * kafkajs 2.2.4 arms a timer of 1 ms on every idle connection, again and again, which costs some 2 % of a core each. The
 * timer has work to do only when requests wait, so it is armed only then. (tulios/kafkajs#1751, unreleased.)
 */
export async function guardIdleTimers(): Promise<void> {
  const { default: RequestQueue } = await import('kafkajs/src/network/requestQueue/index.js');
  const queue = RequestQueue.prototype as InstanceType<typeof RequestQueue> & { [guarded]?: true };
  if (queue[guarded]) return;
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function scheduleWhenPending(this: InstanceType<typeof RequestQueue>): void {
    if (this.pending.length > 0) schedule.call(this);
  };
  queue[guarded] = true;
}
