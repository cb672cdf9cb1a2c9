/** For a person, by the clock on their wall: `2026-03-14 09:26:53`. */
export const localTime = (time: string) => new Date(time).toLocaleString('sv');
