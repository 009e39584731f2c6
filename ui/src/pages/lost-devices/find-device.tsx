import type { ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { devicesQuery, peopleQuery, personQuery } from '../../api/queries.js';
import type { Device, Person } from '../../api/types.js';
import { Empty, Loading } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useTyped } from '../../parts/use-typed.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';

const MOST = 8;
const SHORTEST = 2;

interface Props {
  wanted: string;
  onWanted: (wanted: string) => void;
  /** What was said at `/lost`, where that is why it is looked for. */
  report?: string;
}

/** By the person or by the thing: whichever somebody can name at the phone. */
export function FindDevice({ wanted, onWanted, report }: Props): ReactNode {
  const [typed, setTyped] = useTyped(wanted, onWanted);
  const isLongEnough = wanted.length >= SHORTEST;
  const may = useMay();
  const mayReadDevices = may('devices:read');
  const people = useQuery({
    ...peopleQuery({ search: wanted, limit: MOST }),
    placeholderData: keepPreviousData,
    enabled: isLongEnough && may('people:read'),
  });
  const byName = useQuery({
    ...devicesQuery({ search: wanted, limit: MOST }),
    placeholderData: keepPreviousData,
    enabled: isLongEnough && mayReadDevices,
  });
  const found = isLongEnough ? (people.data?.items ?? []) : [];
  const ofPeople = useQueries({
    queries: found.map(({ id }) => ({ ...devicesQuery({ holderId: id, limit: MOST }), enabled: mayReadDevices })),
  });
  const error = people.error ?? byName.error ?? ofPeople.find((one) => one.error)?.error;
  const hits = isLongEnough
    ? hitsFrom(
        found,
        ofPeople.map(({ data }) => data?.items ?? []),
        byName.data?.items ?? [],
      )
    : [];
  // What is still shown of the letters before says nothing of these.
  const isLoading =
    isLongEnough &&
    ([people, byName].some((query) => query.isLoading || query.isPlaceholderData) ||
      ofPeople.some((query) => query.isLoading));
  const without = found.filter((_person, index) => ofPeople[index]?.data?.items.length === 0);
  return (
    <div className="stack">
      <TextInput
        label={text.lostLaptop.whoOrWhich}
        description={text.lostLaptop.byWhat}
        size="md"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        // At 3 a.m. this is the one thing to do here; of a report there is something to read first.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus={report === undefined}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        type="search"
      />
      {error && <ProblemNotice error={error} />}
      {isLoading && hits.length === 0 && <Loading />}
      <ul className="cards">
        {hits.map(({ device, holder }) => (
          <li key={device.id}>
            <Link
              to="/lost-laptop"
              search={{ device: device.id, ...(report !== undefined && { report }) }}
              className="card card-link"
              data-row
            >
              <span className="card-title">{device.assetTag}</span>
              <span>{holder ? holder.displayName : <Holder device={device} />}</span>
              <span className="dim small">
                {text.devices.state[device.state]}
                {device.serial !== undefined && ` · ${device.serial}`}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {without.map(({ id, displayName }) => (
        <Empty key={id}>
          {text.lostLaptop.noDevice(displayName)}{' '}
          <Link to="/people/$personId" params={{ personId: id }}>
            {text.lostLaptop.openPerson}
          </Link>
        </Empty>
      ))}
      {!mayReadDevices &&
        found.map(({ id, displayName }) => (
          <Empty key={id}>
            {text.lostLaptop.unseenDevices(displayName)}{' '}
            <Link to="/people/$personId" params={{ personId: id }}>
              {text.lostLaptop.openPerson}
            </Link>
          </Empty>
        ))}
      {isLongEnough && !isLoading && !error && hits.length === 0 && found.length === 0 && (
        <Empty>{text.lostLaptop.nothing(wanted)}</Empty>
      )}
    </div>
  );
}

function Holder({ device: { holderId } }: { device: Device }): ReactNode {
  const mayRead = useMay()('people:read');
  const { data } = useQuery({ ...personQuery(holderId ?? ''), enabled: holderId !== null && mayRead });
  return holderId === null ? text.devices.nobody : (data?.displayName ?? text.people.somebody);
}

/** What people have comes first; each device once. */
function hitsFrom(
  people: readonly Person[],
  theirs: readonly (readonly Device[])[],
  byName: readonly Device[],
): { device: Device; holder: Person | undefined }[] {
  const ofPeople = people.flatMap((holder, index) => (theirs[index] ?? []).map((device) => ({ device, holder })));
  const known = new Set(ofPeople.map(({ device }) => device.id));
  const others = byName.filter(({ id }) => !known.has(id)).map((device) => ({ device, holder: undefined }));
  return [...ofPeople, ...others];
}
