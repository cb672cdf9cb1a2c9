/** A short story in three pages. ASCII only, so that text recognition can be expected to find every word. */
export const title = 'The Keeper of Gull Rock';

export const pages = [
  `Agnes Moor had kept the light on Gull Rock for nineteen years, and in all that time she had let it go out only once. She still did not like to speak of it.

Her day began when other people went to bed. At dusk she climbed the hundred and twelve steps with a can of oil in each hand, trimmed the wick, wound the clockwork, and waited until the great lens began to turn. Then she sat down by the small window with a pot of tea and wrote in the log what she saw: the wind, the ships, the birds.

Most nights there was very little to write.`,

  `On the third of November the fog came in so thick that the sea was gone. Agnes heard it breathing below her, but she could not see the rail of her own gallery.

Shortly after midnight a bell rang somewhere to the north. It was not the bell of the harbour. It rang twice, stopped, and rang again, a little nearer each time.

She put down her cup. There was a ship out there, a heavy one by the sound of it, and it was on the wrong side of the rock. The light turned above her head, bright and useless, and painted the fog as white as milk.

So she took the old brass horn from its hook.`,

  `She blew until her lips were sore. Three long notes, a pause, three long notes. Between them she held her breath and listened.

At last an answer came: one short note, quite close, and then the rattle of a chain as an anchor went down. Agnes leaned against the cold wall and laughed aloud.

In the morning the fog lifted, and there lay a grey steamer, a stone's throw from the reef. A boy in a red cap stood at the bow and waved with both arms. She waved back.

Then she went inside, opened the log, and wrote in her neat hand: fog until seven, wind light from the west, one ship. All well.`,
];
