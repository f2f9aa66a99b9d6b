const SEGMENT_BITS = 20;
const SEGMENT_SIZE = 2 ** SEGMENT_BITS;
/** From this size class on a region has a segment of its own, so that packing wastes little. */
const OWN_SEGMENT_CLASS = 16;
const released = new Uint32Array(0);

/**
 * Memory for hundreds of thousands of small growing lists. One typed array per list would cost a hundred bytes of
 * headers for a list of one; here regions of 2^n entries share large segments, and freed regions are used again.
 */
export class PostingsArena {
  private readonly segments: Uint32Array[] = [];
  private readonly freeRegions: number[][] = [];
  private readonly freeSegments: number[] = [];
  private shared = -1;
  private sharedEnd = SEGMENT_SIZE;

  /** The address of a region of `2 ** sizeClass` entries; its content is undefined. */
  allocate(sizeClass: number): number {
    const freed = this.freeRegions[sizeClass]?.pop();
    if (freed !== undefined) return freed;
    const size = 2 ** sizeClass;
    if (sizeClass >= OWN_SEGMENT_CLASS) return this.addSegment(size) * SEGMENT_SIZE;
    if (this.sharedEnd + size > SEGMENT_SIZE) {
      this.shared = this.addSegment(SEGMENT_SIZE);
      this.sharedEnd = 0;
    }
    const address = this.shared * SEGMENT_SIZE + this.sharedEnd;
    this.sharedEnd += size;
    return address;
  }

  free(address: number, sizeClass: number): void {
    if (sizeClass < OWN_SEGMENT_CLASS) {
      (this.freeRegions[sizeClass] ??= []).push(address);
      return;
    }
    const segment = Math.floor(address / SEGMENT_SIZE);
    this.segments[segment] = released;
    this.freeSegments.push(segment);
  }

  array(address: number): Uint32Array {
    return this.segments[Math.floor(address / SEGMENT_SIZE)]!;
  }

  offset(address: number): number {
    return address % SEGMENT_SIZE;
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.byteLength, 0);
  }

  private addSegment(size: number): number {
    const segment = this.freeSegments.pop() ?? this.segments.length;
    this.segments[segment] = new Uint32Array(size);
    return segment;
  }
}
