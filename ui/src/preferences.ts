import { useSyncExternalStore } from 'react';

/** What whoever uses this browser likes, kept in it; where it keeps nothing, until the page is loaded again. */
class Preference {
  private isOn: boolean;
  private readonly observers = new Set<() => void>();

  constructor(
    private readonly key: string,
    otherwise: boolean,
  ) {
    this.isOn = kept(key) ?? otherwise;
  }

  get = (): boolean => this.isOn;

  set(isOn: boolean): void {
    this.isOn = isOn;
    try {
      localStorage.setItem(this.key, String(isOn));
    } catch {
      // Storage is refused or full: it holds for this page.
    }
    for (const observer of this.observers) observer();
  }

  observe = (observer: () => void): (() => void) => {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  };
}

function kept(key: string): boolean | null {
  try {
    const value = localStorage.getItem(key);
    return value === null ? null : value === 'true';
  } catch {
    return null;
  }
}

/** Single letters do something: in the way of whoever dictates (WCAG 2.2, 2.1.4). */
export const letterKeys = new Preference('quartermaster-letter-keys', true);

/** Instants instead of ages. */
export const exactTimes = new Preference('quartermaster-exact-times', false);

export function usePreference(preference: Preference): boolean {
  return useSyncExternalStore(preference.observe, preference.get);
}
