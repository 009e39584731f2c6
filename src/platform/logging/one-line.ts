/** Names of people and things stand in what is shown: none of them may write into a terminal, or a second line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}
