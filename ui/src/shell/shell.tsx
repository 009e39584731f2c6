import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { Button, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { live, useLiveState } from '../api/live.js';
import { isProblem } from '../api/query-client.js';
import { callerQuery } from '../api/queries.js';
import type { Caller } from '../api/types.js';
import { Dialog } from '../parts/dialog.js';
import { Loading } from '../parts/loaded.js';
import { ProblemNotice } from '../parts/problem-notice.js';
import { exactTimes, usePreference } from '../preferences.js';
import { text } from '../text/text.js';
import { useMay } from './caller.js';
import { FIND_KEY, Keys } from './keys.js';
import { Navigation } from './navigation.js';
import { SearchBox } from './search-box.js';

/** Around every page: who is signed in, where one may go, and the one search. */
export function Shell(): ReactNode {
  const { data: caller, error, refetch } = useQuery(callerQuery);
  const isAnothers = useIsAnothers(caller?.id);
  if (isProblem(error, 'unauthenticated')) return <SignedOut wasSignedIn={caller !== undefined} />;
  if (caller && !isAnothers) return <SignedIn caller={caller} />;
  return (
    <main className="lone">
      <h1>Quartermaster</h1>
      {error ? <ProblemNotice error={error} onRetry={() => void refetch()} /> : <Loading />}
      {isProblem(error, 'forbidden') && <SignOut />}
    </main>
  );
}

/** Whether somebody else signed in since: what was read for the one before goes, with the whole page. */
function useIsAnothers(callerId: string | undefined): boolean {
  const [first, setFirst] = useState<string>();
  if (callerId !== undefined && first === undefined) setFirst(callerId);
  const isAnothers = callerId !== undefined && first !== undefined && callerId !== first;
  useEffect(() => {
    if (isAnothers) window.location.reload();
  }, [isAnothers]);
  return isAnothers;
}

/** Whoever comes for the first time is led to the sign-in; whose session ended meanwhile decides when. */
function SignedOut({ wasSignedIn }: { wasSignedIn: boolean }): ReactNode {
  const address = `/sign-in?return=${encodeURIComponent(window.location.pathname + window.location.search)}`;
  useEffect(() => live.stop(), []);
  useEffect(() => {
    if (!wasSignedIn) window.location.replace(address);
  }, [wasSignedIn, address]);
  return (
    <main className="lone">
      <h1>{text.shell.signedOut}</h1>
      <p>{text.shell.signedOutDetail}</p>
      <p>
        <a className="act-link" href={address}>
          {text.shell.signIn}
        </a>
      </p>
    </main>
  );
}

function SignedIn({ caller }: { caller: Caller }): ReactNode {
  const [isSearching, setSearching] = useState(false);
  const [isNavigating, setNavigating] = useState(false);
  const [areKeysShown, setKeysShown] = useState(false);
  const may = useMay();
  const search = useCallback(() => setSearching(true), []);
  const showKeys = useCallback(() => setKeysShown(true), []);
  useEffect(() => live.start(), []);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {text.shell.skip}
      </a>
      <header className="side">
        <Link to="/" className="brand">
          Quartermaster
        </Link>
        {caller.environment === 'test' && <span className="environment">{text.shell.testInstallation}</span>}
        <button type="button" className="search-button" onClick={search}>
          {text.search.open} <kbd>{FIND_KEY}</kbd>
        </button>
        <nav aria-label={text.nav.label} className="side-nav">
          <Navigation />
        </nav>
        <div className="side-foot">
          <LiveNotice />
          <Me name={caller.name} onKeys={showKeys} />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <nav className="bottom-bar" aria-label={text.nav.short}>
        <Link to="/" activeOptions={{ exact: true }} className="bottom-link">
          {text.nav.overview}
        </Link>
        {may('lost-devices:report') && (
          <Link to="/lost-laptop" className="bottom-link bottom-urgent">
            {text.nav.lostLaptop}
          </Link>
        )}
        <button type="button" className="bottom-link" onClick={search}>
          {text.search.short}
        </button>
        <button type="button" className="bottom-link" onClick={() => setNavigating(true)}>
          {text.nav.more}
        </button>
      </nav>
      {isNavigating && (
        <Dialog title={text.nav.label} onClose={() => setNavigating(false)}>
          <Navigation onChosen={() => setNavigating(false)} />
          <LiveNotice />
          <Me name={caller.name} onChosen={() => setNavigating(false)} />
        </Dialog>
      )}
      {isSearching && <SearchBox onClose={() => setSearching(false)} />}
      <Keys isShown={areKeysShown} onShow={showKeys} onHide={() => setKeysShown(false)} onSearch={search} />
    </div>
  );
}

interface MeProps {
  name: string;
  onChosen?: () => void;
  onKeys?: () => void;
}

/** Who is signed in, and how they like it. Where there is no keyboard there are no keys. */
function Me({ name, onChosen, onKeys }: MeProps): ReactNode {
  return (
    <div className="me">
      <span className="me-name">{name}</span>
      <Link to="/your-sign-in" className="plain-link" onClick={onChosen}>
        {text.yourSignIn.title}
      </Link>
      {onKeys && (
        <button type="button" className="plain-button" onClick={onKeys}>
          {text.keys.title}
        </button>
      )}
      <TimesButton />
      <ThemeButton />
      <SignOut />
    </div>
  );
}

function TimesButton(): ReactNode {
  const areExact = usePreference(exactTimes);
  return (
    <button type="button" className="plain-button" aria-pressed={areExact} onClick={() => exactTimes.set(!areExact)}>
      {text.shell.exactTimes}
    </button>
  );
}

function ThemeButton(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme() === 'dark';
  return (
    <button type="button" className="plain-button" onClick={() => setColorScheme(isDark ? 'light' : 'dark')}>
      {isDark ? text.shell.light : text.shell.dark}
    </button>
  );
}

/** The session's own end, and the provider's: a form, since it leads to another page. */
function SignOut(): ReactNode {
  return (
    <form method="post" action="/sign-out">
      <Button type="submit" size="compact-xs" variant="default">
        {text.shell.signOut}
      </Button>
    </form>
  );
}

/** Only when what is shown may be old: that it is live goes without saying. */
function LiveNotice(): ReactNode {
  const state = useLiveState();
  return (
    <p className="live small" role="status">
      {state === 'away' && `▲ ${text.shell.notLive}`}
    </p>
  );
}
