import { useDeferredValue, useEffect, useId, useState, type KeyboardEvent, type ReactNode } from 'react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { devicesQuery, peopleQuery } from '../api/queries.js';
import { Dialog } from '../parts/dialog.js';
import { ProblemNotice } from '../parts/problem-notice.js';
import { text } from '../text/text.js';
import { useMay } from './caller.js';
import { usePlaces } from './navigation.js';

interface Hit {
  id: string;
  group: string;
  name: string;
  detail: string;
  go: () => void;
}

const MOST = 6;
const SHORTEST = 2;

/** Finds people by name or address and devices by asset tag or serial number, and leads to every act and place. */
export function SearchBox({ onClose }: { onClose: () => void }): ReactNode {
  const [wanted, setWanted] = useState('');
  const [chosen, setChosen] = useState(0);
  // Enter was pressed for the first of what is still looked for.
  const [isAwaited, setAwaited] = useState(false);
  const list = useId();
  const sought = useDeferredValue(wanted.trim());
  const { hits, isLooking, error } = useHits(sought);
  // What is shown until then was found for other letters.
  const isOld = isLooking || sought !== wanted.trim();
  const at = Math.min(chosen, Math.max(0, hits.length - 1));
  const run = (hit: Hit | undefined): void => {
    if (!hit) return;
    onClose();
    hit.go();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setChosen(Math.min(at + 1, hits.length - 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(at - 1, 0));
    else if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    else if (!isOld) run(hits[at]);
    else setAwaited(at === 0);
    event.preventDefault();
  };
  useEffect(() => {
    if (isAwaited && !isOld) run(hits[0]);
  });
  return (
    <Dialog title={text.search.title} onClose={onClose}>
      <input
        className="search-input"
        role="combobox"
        aria-label={text.search.title}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={hits[at] ? `${list}-${hits[at].id}` : undefined}
        placeholder={text.search.placeholder}
        value={wanted}
        onChange={(event) => {
          setWanted(event.currentTarget.value);
          setChosen(0);
          setAwaited(false);
        }}
        onKeyDown={pressed}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
      />
      <div id={list} role="listbox" aria-label={text.search.results} className="hits">
        {hits.map((hit, index) => (
          // The input above keeps the focus and takes the keys, as a combobox does.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
          <div
            key={hit.id}
            id={`${list}-${hit.id}`}
            role="option"
            aria-selected={index === at}
            className="hit"
            onPointerMove={() => setChosen(index)}
            onClick={() => run(hit)}
          >
            <span className="hit-group">{hit.group}</span>
            <span className="hit-name">{hit.name}</span>
            <span className="hit-detail">{hit.detail}</span>
          </div>
        ))}
      </div>
      {error && <ProblemNotice error={error} />}
      <p className="small dim" role="status">
        {isOld ? text.search.looking : hits.length > 0 ? text.search.count(hits.length) : !error && text.search.nothing}
      </p>
    </Dialog>
  );
}

interface Found {
  hits: Hit[];
  /** Something is still looked for; until then the hits may be those of other letters. */
  isLooking: boolean;
  error: Error | null;
}

function useHits(wanted: string): Found {
  const may = useMay();
  const places = usePlaces();
  const navigate = useNavigate();
  const isLongEnough = wanted.length >= SHORTEST;
  const people = useQuery({
    ...peopleQuery({ search: wanted, limit: MOST }),
    placeholderData: keepPreviousData,
    enabled: isLongEnough && may('people:read'),
  });
  const devices = useQuery({
    ...devicesQuery({ search: wanted, limit: MOST }),
    placeholderData: keepPreviousData,
    enabled: isLongEnough && may('devices:read'),
  });
  const foundPeople = isLongEnough ? (people.data?.items ?? []) : [];
  const foundDevices = isLongEnough ? (devices.data?.items ?? []) : [];
  const isLooking = isLongEnough && [people, devices].some((query) => query.isLoading || query.isPlaceholderData);
  const matches = (name: string): boolean => name.toLowerCase().includes(wanted.toLowerCase());
  const hits: Hit[] = [
    ...foundPeople.map(({ id, displayName, corporateEmail, status }) => ({
      id,
      group: text.search.person,
      name: displayName,
      detail: `${corporateEmail} · ${text.people.status[status]}`,
      go: () => void navigate({ to: '/people/$personId', params: { personId: id } }),
    })),
    ...foundDevices.map(({ id, assetTag, serial, state }) => ({
      id,
      group: text.search.device,
      name: assetTag,
      detail: `${serial ?? ''} · ${text.devices.state[state]}`,
      go: () => void navigate({ to: '/devices/$deviceId', params: { deviceId: id } }),
    })),
    ...(may('lost-devices:report') && (matches(text.nav.lostLaptop) || isLongEnough)
      ? [
          {
            id: 'lost-laptop',
            group: text.search.act,
            name: text.nav.lostLaptop,
            detail: isLongEnough ? wanted : text.lostLaptop.sub,
            go: () => void navigate({ to: '/lost-laptop', search: isLongEnough ? { q: wanted } : {} }),
          },
        ]
      : []),
    ...places
      .filter(({ word }) => matches(word))
      .map(({ to, word }) => ({
        id: `place-${to.slice(1)}`,
        group: text.search.place,
        name: word,
        detail: '',
        go: () => void navigate({ to }),
      })),
  ];
  return { hits, isLooking, error: people.error ?? devices.error };
}
