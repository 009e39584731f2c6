import { useEffect, useSyncExternalStore } from 'react';
import { isMadeOldBy, readChange, type Change } from './changes.js';
import { queryClient } from './query-client.js';
import { callerQuery } from './queries.js';

export type LiveState = 'connecting' | 'live' | 'away';

/** Milliseconds for which changes are gathered before anything is read again. */
const GATHERS = 120;
/** Milliseconds for which a page that nobody sees goes on listening: browsers allow few connections for all of them. */
const HIDDEN_FOR = 20_000;

/** The page's one connection to the change feed; what is shown is read again when it changed. */
class LiveConnection {
  state: LiveState = 'connecting';
  private source: EventSource | null = null;
  private isStarted = false;
  private readonly watched = new Map<string, number>();
  private readonly observers = new Set<() => void>();
  private gathered: Change[] = [];
  private gathering: number | undefined;
  private reopening: number | undefined;
  private hiding: number | undefined;

  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    document.addEventListener('visibilitychange', this.shownOrHidden);
    this.open();
  }

  /** Until it is started again, as when somebody signs in. */
  stop(): void {
    this.isStarted = false;
    document.removeEventListener('visibilitychange', this.shownOrHidden);
    window.clearTimeout(this.hiding);
    this.close();
  }

  /** Has each move of this case's steps told, until what it answers is called. */
  watch(caseId: string): () => void {
    this.count(caseId, 1);
    return () => this.count(caseId, -1);
  }

  observe = (observer: () => void): (() => void) => {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  };

  private readonly shownOrHidden = (): void => {
    window.clearTimeout(this.hiding);
    if (document.visibilityState === 'hidden') this.hiding = window.setTimeout(() => this.close(), HIDDEN_FOR);
    else if (this.source === null) this.open();
  };

  private count(caseId: string, by: 1 | -1): void {
    const before = this.watched.get(caseId) ?? 0;
    if (before + by > 0) this.watched.set(caseId, before + by);
    else this.watched.delete(caseId);
    // Only a case that wasn't told of yet needs another stream.
    if (by === 1 && before === 0 && this.source !== null) {
      window.clearTimeout(this.reopening);
      this.reopening = window.setTimeout(() => this.open(), GATHERS);
    }
  }

  private open(): void {
    this.close();
    // It is opened when somebody sees the page.
    if (document.visibilityState === 'hidden') return;
    const cases = [...this.watched.keys()].slice(0, 50).join(',');
    const source = new EventSource(cases === '' ? '/v1/changes' : `/v1/changes?cases=${cases}`);
    this.source = source;
    source.addEventListener('listening', () => {
      this.tell('live');
      this.readAgain();
    });
    source.addEventListener('changed', ({ data }: MessageEvent<string>) => this.gather(readChange(data)));
    source.addEventListener('error', () => {
      this.tell(source.readyState === EventSource.CLOSED ? 'away' : 'connecting');
      // Refused, rather than ended: whether we are still signed in is for the shell to find out.
      if (source.readyState === EventSource.CLOSED) this.refused();
    });
  }

  private refused(): void {
    this.close();
    void queryClient.invalidateQueries({ queryKey: callerQuery.queryKey });
    this.reopening = window.setTimeout(() => this.open(), 15_000);
  }

  private close(): void {
    window.clearTimeout(this.reopening);
    this.source?.close();
    this.source = null;
  }

  /** What was read before the stream listened may have changed meanwhile. */
  private readAgain(): void {
    const listeningSince = Date.now();
    void queryClient.invalidateQueries({
      predicate: ({ queryKey, state }) => queryKey[1] !== 'endless' && state.dataUpdatedAt < listeningSince,
    });
  }

  private gather(change: Change | null): void {
    if (change === null) return;
    this.gathered.push(change);
    this.gathering ??= window.setTimeout(() => {
      const changes = this.gathered;
      this.gathered = [];
      this.gathering = undefined;
      void queryClient.invalidateQueries({ predicate: isMadeOldBy(changes) });
    }, GATHERS);
  }

  private tell(state: LiveState): void {
    this.state = state;
    for (const observer of this.observers) observer();
  }
}

export const live = new LiveConnection();

/** Has each move of these cases' steps told for as long as they are shown. */
export function useWatchedCases(ids: readonly string[]): void {
  const joined = ids.join(',');
  useEffect(() => {
    const leave = joined
      .split(',')
      .filter(Boolean)
      .map((id) => live.watch(id));
    return () => {
      for (const one of leave) one();
    };
  }, [joined]);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(live.observe, () => live.state);
}
