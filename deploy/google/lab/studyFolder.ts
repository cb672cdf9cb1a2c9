/** The id in a folder's link, or the id itself: `https://drive.google.com/drive/u/0/folders/1AbC?usp=sharing`. */
export function folderIdOf(link: string): string | undefined {
  const text = link.trim();
  if (/^[\w-]{10,200}$/.test(text)) return text;
  return /^https:\/\/drive\.google\.com\/\S*?(?:\/folders\/|[?&]id=)([\w-]{10,200})(?:[/?&#]|$)/.exec(
    text,
  )?.[1];
}
