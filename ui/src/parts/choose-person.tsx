import { useDeferredValue, useId, useState, type ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { peopleQuery } from '../api/queries.js';
import type { Person } from '../api/types.js';
import { text } from '../text/text.js';
import { Empty, Loaded } from './loaded.js';

const MOST = 5;
const SHORTEST = 2;

interface Props {
  label: string;
  chosen: Person | null;
  onChoose: (person: Person | null) => void;
}

/** Somebody who is here or expected, by a part of their name or address. */
export function ChoosePerson({ label, chosen, onChoose }: Props): ReactNode {
  const [wanted, setWanted] = useState('');
  const search = useDeferredValue(wanted.trim());
  const isLongEnough = search.length >= SHORTEST;
  const query = useQuery({ ...peopleQuery({ search, limit: MOST }), enabled: isLongEnough });
  const name = useId();
  return (
    <div className="stack">
      <TextInput
        label={label}
        description={text.people.search}
        value={wanted}
        onChange={(event) => {
          setWanted(event.currentTarget.value);
          onChoose(null);
        }}
        type="search"
        autoComplete="off"
        data-autofocus
      />
      {isLongEnough && (
        <Loaded query={query} lines={2}>
          {({ items }) => {
            const people = items.filter(({ status }) => status !== 'left');
            if (people.length === 0) return <Empty>{text.people.nobodyCalled(search)}</Empty>;
            return (
              <fieldset className="scopes">
                <legend>{text.people.choose}</legend>
                {people.map((person) => (
                  <label key={person.id} className={person.id === chosen?.id ? 'scope scope-chosen' : 'scope'}>
                    <input
                      type="radio"
                      name={name}
                      checked={person.id === chosen?.id}
                      onChange={() => onChoose(person)}
                    />
                    <span className="stack-small">
                      {person.displayName}
                      <span className="dim small">
                        {person.corporateEmail} · {text.people.status[person.status]}
                      </span>
                    </span>
                  </label>
                ))}
              </fieldset>
            );
          }}
        </Loaded>
      )}
    </div>
  );
}
