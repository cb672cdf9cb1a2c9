/** A table with a bowl of fruit, a bottle and a glass, and a clock on the wall. An SVG of 1024 × 768 pixels. */
export function stillLife(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1024" height="768">
    <defs>
      <linearGradient id="wall" x2="0" y2="1"><stop offset="0" stop-color="#cfd8c8"/><stop offset="1" stop-color="#93a79b"/></linearGradient>
      <linearGradient id="table" x2="0" y2="1"><stop offset="0" stop-color="#b67a45"/><stop offset="1" stop-color="#7c4a26"/></linearGradient>
      <linearGradient id="bowl" x2="1" y2="0"><stop offset="0" stop-color="#f4f6fa"/><stop offset="0.35" stop-color="#c9d6e8"/><stop offset="1" stop-color="#5c7598"/></linearGradient>
      <linearGradient id="glass" x2="1" y2="0"><stop offset="0" stop-color="#2c5b3c"/><stop offset="0.25" stop-color="#5f9d6b"/><stop offset="0.5" stop-color="#2f6a43"/><stop offset="1" stop-color="#153322"/></linearGradient>
      ${ball('apple', '#f58a6c', '#c22a2a', '#7a1320')}
      ${ball('green', '#dcec8c', '#8fb63c', '#4c7420')}
      ${ball('orange', '#ffd08a', '#f2922a', '#b65a10')}
      ${ball('plum', '#a58bc0', '#5b3a78', '#2c1840')}
    </defs>
    <rect width="1024" height="768" fill="url(#wall)"/>
    <rect y="520" width="1024" height="248" fill="url(#table)"/>
    <rect y="520" width="1024" height="6" fill="#d9a468"/>
    ${[566, 622, 690].map((y) => `<path d="M0 ${y}q260 14 520 2t504 6" fill="none" stroke="#6a3d1e" stroke-width="2" opacity="0.35"/>`).join('')}
    ${clock(10, 10)}
    ${bottle}${bowl}${tumbler}${pear}
  </svg>`;
}

/** A round thing, lit from the upper left. */
const ball = (id: string, light: string, body: string, shade: string) =>
  `<radialGradient id="${id}" cx="0.35" cy="0.3" r="0.75"><stop offset="0" stop-color="${light}"/>
   <stop offset="0.45" stop-color="${body}"/><stop offset="1" stop-color="${shade}"/></radialGradient>`;

const shadow = (x: number, y: number, reach: number) =>
  `<ellipse cx="${x}" cy="${y}" rx="${reach}" ry="${reach * 0.16}" fill="#2d1608" opacity="0.35"/>`;

function clock(hour: number, minute: number): string {
  const numerals = Array.from({ length: 12 }, (_, i) => {
    const angle = ((i + 1) * Math.PI) / 6;
    const [x, y] = [Math.sin(angle) * 76, -Math.cos(angle) * 76 + 8];
    return `<text x="${x.toFixed(2)}" y="${y.toFixed(2)}">${i + 1}</text>`;
  });
  const hand = (turns: number, length: number, thickness: number) =>
    `<path d="M0 14V${-length}" transform="rotate(${turns * 360})" stroke="#2a2a30" stroke-width="${thickness}" stroke-linecap="round"/>`;
  return `<g transform="translate(790 185)" text-anchor="middle" font-family="DejaVu Serif" font-size="22" fill="#2a2a30">
    <circle cx="6" cy="9" r="114" fill="#3d4a43" opacity="0.35"/><circle r="112" fill="#6e3f22"/><circle r="98" fill="#fbf6e9"/>
    ${numerals.join('')}${hand((hour + minute / 60) / 12, 44, 8)}${hand(minute / 60, 68, 5)}<circle r="7" fill="#a8322d"/></g>`;
}

const bottle = `${shadow(250, 640, 100)}
  <path d="M218 210h44v90c0 46 36 52 36 104v214q0 22 -22 22h-72q-22 0 -22 -22v-214c0 -52 36 -58 36 -104z" fill="url(#glass)"/>
  <rect x="212" y="186" width="56" height="34" rx="5" fill="#7b2429"/>
  <rect x="182" y="430" width="116" height="120" fill="#f3e7cb"/>
  <g text-anchor="middle" font-family="DejaVu Serif" fill="#54301c">
    <text x="240" y="472" font-size="24" font-weight="bold">OLIVE</text><text x="240" y="500" font-size="24" font-weight="bold">OIL</text>
    <text x="240" y="534" font-size="15">harvest 2024</text></g>
  <path d="M198 415q2 -28 18 -52q12 -20 12 -50v-78" fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round" opacity="0.35"/>`;

const fruit = (x: number, y: number, radius: number, kind: string) =>
  `<circle cx="${x}" cy="${y}" r="${radius}" fill="url(#${kind})"/>`;

const stalk = (x: number, y: number) =>
  `<path d="M${x} ${y}q-2 -18 8 -30" fill="none" stroke="#4b2f18" stroke-width="6" stroke-linecap="round"/>
   <path d="M${x + 4} ${y - 16}q22 -20 40 -4q-20 16 -40 4z" fill="#5d8a35"/>`;

const bananas = `<path d="M646 452q84 -20 96 -128q5 -9 13 -4q34 122 -86 168z" fill="#e9b93a"/>
  <path d="M634 446q72 -30 74 -130q5 -9 13 -5q42 112 -66 166z" fill="#f7d457"/><path d="M708 316q4 -9 13 -5l3 9l-15 5z" fill="#6b4a1c"/>
  <path d="M742 324q5 -9 13 -4l2 9l-15 4z" fill="#6b4a1c"/>`;

const bowl = `${shadow(540, 662, 210)}
  <ellipse cx="540" cy="470" rx="206" ry="40" fill="#7d93b3"/>
  ${bananas}
  ${fruit(445, 418, 62, 'orange')}${fruit(545, 388, 70, 'apple')}${stalk(548, 326)}${fruit(628, 436, 56, 'green')}${stalk(630, 388)}
  ${fruit(508, 454, 40, 'plum')}${fruit(578, 462, 42, 'plum')}${fruit(400, 462, 38, 'plum')}
  <path d="M334 470a206 40 0 0 0 412 0c0 90 -60 150 -130 172h-152c-70 -22 -130 -82 -130 -172z" fill="url(#bowl)"/>
  <path d="M348 512a194 38 0 0 0 384 0" fill="none" stroke="#2f5597" stroke-width="8"/>
  <path d="M460 640h160l12 22h-184z" fill="#8199ba"/>`;

const tumbler = `${shadow(868, 668, 80)}
  <path d="M806 470h124l-14 180q-2 18 -20 18h-56q-18 0 -20 -18z" fill="#eef6fa" opacity="0.45"/>
  <path d="M812 548h112l-8 102q-2 16 -20 16h-56q-18 0 -20 -16z" fill="#9cc7dc" opacity="0.65"/>
  <ellipse cx="868" cy="548" rx="56" ry="9" fill="#c9e4ef" opacity="0.9"/><ellipse cx="868" cy="470" rx="62" ry="11" fill="none" stroke="#fff" stroke-width="4" opacity="0.8"/>
  <path d="M824 500l8 130" stroke="#fff" stroke-width="7" stroke-linecap="round" opacity="0.6"/>`;

const pear = `${shadow(130, 700, 78)}
  <path d="M128 560c28 0 26 40 44 66c26 40 4 76 -46 76s-72 -38 -44 -78c16 -26 20 -64 46 -64z" fill="url(#green)"/>${stalk(128, 566)}`;
