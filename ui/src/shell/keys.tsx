import { useEffect, useRef, type ReactNode } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { Dialog } from '../parts/dialog.js';
import { letterKeys, usePreference } from '../preferences.js';
import { text } from '../text/text.js';
import { useMay } from './caller.js';
import { usePlaces } from './navigation.js';

/** Milliseconds in which the second key of `g p` may follow. */
const FOLLOWS_WITHIN = 1_000;

/** What finds or does anything, as this keyboard has it. */
export const FIND_KEY = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K';

interface Props {
  isShown: boolean;
  onShow: () => void;
  onHide: () => void;
  onSearch: () => void;
}

/** The keys that work on every page: `g` and a letter go somewhere, `j` and `k` walk through a list, `?` shows them all. */
export function Keys({ isShown, onShow, onHide, onSearch }: Props): ReactNode {
  const navigate = useNavigate();
  const places = usePlaces();
  const mayReport = useMay()('lost-devices:report');
  const hasLetters = usePreference(letterKeys);
  const goesSince = useRef(-Infinity);
  useEffect(() => {
    const typed = (event: KeyboardEvent): void => {
      const goes = performance.now() - goesSince.current < FOLLOWS_WITHIN;
      goesSince.current = -Infinity;
      const place = goes ? places.find(({ key }) => key === event.key) : undefined;
      if (place) void navigate({ to: place.to });
      else if (event.key === 'l' && goes && mayReport) void navigate({ to: '/lost-laptop' });
      else if (event.key === 'g') goesSince.current = performance.now();
      else if (event.key === 'j' || event.key === 'k') walk(event.key === 'j' ? 1 : -1);
      else if (event.key.toLowerCase() === 'x') chooseRow(event.target, event.shiftKey);
      else if (event.key === 'Enter') openRow(event.target);
      else if (event.key === '/') {
        event.preventDefault();
        onSearch();
      } else if (event.key === '?') onShow();
    };
    const pressed = (event: KeyboardEvent): void => {
      // What is asked in a dialog comes first.
      const isAsked = document.querySelector('dialog[open]') !== null;
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        if (!isAsked) onSearch();
        return;
      }
      if (isAsked || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (event.key === 'Enter') openRow(event.target);
      else if (event.key === ' ' && isRow(event.target)) {
        // Otherwise it would scroll the page.
        if (chooseRow(event.target, event.shiftKey)) event.preventDefault();
      } else if (hasLetters) typed(event);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [navigate, places, mayReport, hasLetters, onSearch, onShow]);
  return isShown && <KeysShown onClose={onHide} />;
}

function KeysShown({ onClose }: { onClose: () => void }): ReactNode {
  const hasLetters = usePreference(letterKeys);
  const places = usePlaces();
  const mayReport = useMay()('lost-devices:report');
  const letters = [
    ['j  k', text.keys.walk],
    ['x', text.keys.choose],
    ['⇧ x', text.keys.chooseUpTo],
    ...places.map(({ key, word }) => [`g ${key}`, word] as const),
    ...(mayReport ? ([['g l', text.nav.lostLaptop]] as const) : []),
    ['?', text.keys.show],
  ] as const;
  const rows = [[FIND_KEY, text.keys.search], ['Enter', text.keys.open], ...(hasLetters ? letters : [])] as const;
  return (
    <Dialog title={text.keys.title} onClose={onClose}>
      <dl className="keys">
        {rows.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>
        <label>
          <input
            type="checkbox"
            checked={hasLetters}
            onChange={({ currentTarget: { checked } }) => letterKeys.set(checked)}
          />{' '}
          {text.keys.letters}
        </label>
      </p>
    </Dialog>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=checkbox]), textarea, select'))
  );
}

function isRow(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('[data-row]');
}

/** By the box of the row that has the focus, where it has one. @param isRange everything up to it */
function chooseRow(target: EventTarget | null, isRange: boolean): boolean {
  const box = target instanceof HTMLElement ? target.closest('tr, li')?.querySelector('[data-choose]') : null;
  return box?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: isRange })) ?? false;
}

/** What a row leads to is the first link in it, or what it unfolds; a row that is a link itself is the browser's. */
function openRow(target: EventTarget | null): void {
  if (!(target instanceof HTMLElement) || !target.matches('[data-row]:not(a)')) return;
  target.querySelector<HTMLElement>('a, summary')?.click();
}

/** Through whatever the page marks as a list's rows. */
function walk(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = at === -1 ? rows[by === 1 ? 0 : rows.length - 1] : rows[at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
