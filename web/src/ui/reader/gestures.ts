/** Fingers and mouse on a surface, told by what they mean. Whatever lies on the surface and is a control keeps its own. */
export interface Point {
  x: number;
  y: number;
}

/** Points are from the surface's upper left corner. */
export interface Gestures {
  tap: (at: Point) => void;
  /** A second tap may follow here: the first one waits for it. */
  pairs: (at: Point) => boolean;
  doubleTap: (at: Point) => void;
  /** By this much since the last call. */
  drag?: (by: Point, all: Point) => void;
  /** The finger left after `all`. */
  dragEnd?: (all: Point, quick: boolean) => void;
  pinch: (factor: number, at: Point, by: Point) => void;
}

/** Less is a tap by an unsteady hand. */
const SLACK = 8;
const PAIR_MS = 260;
const PAIR_DISTANCE = 48;
/** A flick is over sooner than this. */
const QUICK_MS = 300;

/** For `{@attach}`. */
export function gestures(means: Gestures): (surface: HTMLElement) => () => void {
  return (surface) => {
    const fingers = new Map<number, Point>();
    let start: (Point & { time: number }) | null = null;
    let dragging = false;
    let pinched = false;
    let first: (Point & { timer: ReturnType<typeof setTimeout> }) | null = null;

    const at = (event: PointerEvent): Point => {
      const box = surface.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };

    function down(event: PointerEvent) {
      if (event.button !== 0 || (event.target as Element).closest('button, a, input')) return;
      const point = at(event);
      fingers.set(event.pointerId, point);
      if (fingers.size === 1) {
        start = { ...point, time: event.timeStamp };
        dragging = false;
        pinched = false;
      } else pinched = true;
    }

    function move(event: PointerEvent) {
      const before = fingers.get(event.pointerId);
      if (!before || !start) return;
      const now = at(event);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) pinch(before, now, other);
      else if (!pinched) drag(event, before, now, start);
      fingers.set(event.pointerId, now);
    }

    function pinch(before: Point, now: Point, other: Point) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      means.pinch(factor, middle, { x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
    }

    function drag(event: PointerEvent, before: Point, now: Point, from: Point) {
      if (!dragging && distance(now, from) < SLACK) return;
      if (!dragging && means.drag) surface.setPointerCapture(event.pointerId);
      dragging = true;
      means.drag?.({ x: now.x - before.x, y: now.y - before.y }, { x: now.x - from.x, y: now.y - from.y });
    }

    function up(event: PointerEvent) {
      const held = fingers.delete(event.pointerId);
      if (!held || !start || fingers.size > 0) return;
      const point = at(event);
      const ended = start;
      start = null;
      if (pinched) return;
      if (!dragging) tapped(point);
      else means.dragEnd?.({ x: point.x - ended.x, y: point.y - ended.y }, event.timeStamp - ended.time < QUICK_MS);
    }

    function tapped(point: Point) {
      if (first && distance(first, point) < PAIR_DISTANCE) {
        clearTimeout(first.timer);
        first = null;
        return means.doubleTap(point);
      }
      if (!means.pairs(point)) return means.tap(point);
      const timer = setTimeout(() => {
        first = null;
        means.tap(point);
      }, PAIR_MS);
      first = { ...point, timer };
    }

    /** The browser took over: it scrolls. */
    function cancel(event: PointerEvent) {
      fingers.delete(event.pointerId);
      if (fingers.size === 0) start = null;
    }

    const listening = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: cancel };
    const each = Object.entries(listening) as [keyof typeof listening, (event: PointerEvent) => void][];
    for (const [name, listener] of each) surface.addEventListener(name, listener);
    return () => {
      clearTimeout(first?.timer);
      for (const [name, listener] of each) surface.removeEventListener(name, listener);
    };
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
