import type { Tokenizer } from '../tokenizers/tokenizer.js'

/** Sentences of everyday language, written for this project: inputs of a model if the user gives no text. */
export const SAMPLES: Readonly<Record<'zh' | 'en', readonly string[]>> = {
  zh: [
    '昨晚的比赛踢满了一百二十分钟，主队最后靠点球赢了下来。',
    '这家餐厅的面条很好吃，可惜等了快一个小时才有座位。',
    '明天上午有小雨，气温比今天低三度左右，出门请带伞。',
    '央行宣布下调存款准备金率，股市随后小幅上涨。',
    '他花了整整一个夏天，把爷爷留下的老房子重新修好了。',
    '新款手机的屏幕更大，电池也更耐用，不过价格贵了不少。',
    '请问去火车站应该坐几路公交车？',
    '这部电影的故事很简单，但是演员的表演让人感动。',
    '研究人员在深海里发现了一种会发光的小鱼。',
    '孩子发烧了，医生说多喝水，好好休息两天就会好。',
    '市政府计划在三年内建成两条新的地铁线路。',
    '我不太同意你的看法，不过可以再讨论一下。',
    '超市里的苹果今天打八折，我买了五斤。',
    '她从小喜欢画画，后来成了一名建筑师。',
    '由于大雾，早上的航班全部推迟了。',
    '这本书介绍了唐朝的诗歌和当时人们的生活。',
    '公司去年的利润增长了百分之十二，超过了预期。',
    '你把钥匙放在哪里了？我找了半天也没找到。',
    '教练认为年轻球员需要更多的上场机会。',
    '把鸡蛋打散，加一点盐，用小火慢慢煎。',
    '专家提醒，网上购物时不要随便点击陌生链接。',
    '今年的高考作文题目引起了很多人的讨论。',
    '房子离学校不远，附近有公园，交通也方便。',
    '如果明天下雨，运动会就改到下个星期举行。',
    '这款游戏的画面不错，但是任务有些重复。',
    '两国代表就贸易问题进行了三个小时的会谈。',
    '我们在山顶上看到了日出，天空慢慢变成了红色。',
    '服务员态度很差，以后再也不会来了。',
    '科学家用新的望远镜拍到了遥远星系的照片。',
    '奶奶做的饺子，是我吃过最好吃的东西。',
    '这种药每天吃三次，饭后半小时服用。',
    '工人们正在抢修被洪水冲坏的桥梁。',
    '她的新专辑一上线就登上了排行榜第一名。',
    '为什么天空是蓝色的，而晚霞却是红色的？',
    '图书馆周末开放到晚上九点，可以免费上网。',
    '他说话的声音很小，坐在后面的人都听不清楚。',
    '春天到了，河边的柳树长出了嫩绿的叶子。',
    '这辆车跑了十万公里，发动机还没有出过毛病。',
    '老师让我们用自己的话写一写这个故事的结局。',
    '晚饭以后一起去散步吧，外面一点也不热。',
  ],
  en: [
    'The match went to extra time, and the home side won it with a late penalty.',
    'The noodles were excellent, but we had to wait almost an hour for a table.',
    'Light rain is expected tomorrow morning, so take an umbrella with you.',
    'The central bank cut its rates on Tuesday, and shares rose slightly afterwards.',
    'He spent the whole summer repairing the old house that his grandfather had left him.',
    'The new phone has a larger screen and a better battery, but it costs far too much.',
    'Could you tell me which bus goes to the railway station?',
    'It is a simple story, yet the actors make you care about every one of them.',
    'Researchers have found a small fish in the deep sea that produces its own light.',
    'The doctor said that the child should rest for two days and drink plenty of water.',
    'The city plans to open two new underground lines within three years.',
    'I do not really agree with you, but we can talk about it again next week.',
    'Apples were cheap at the market today, so I bought five pounds.',
    'She loved drawing as a child and later became an architect.',
    'All morning flights were delayed because of heavy fog.',
    'This book describes the poetry of the period and how people lived at the time.',
    'Profits grew by twelve per cent last year, which was more than anyone had expected.',
    'Where did you put the keys? I have been looking for them all afternoon.',
    'The coach believes that younger players need more time on the field.',
    'Beat the eggs, add a little salt, and fry them slowly over a low heat.',
    'Experts warn against opening links in messages from people you do not know.',
    'Nobody in the village could remember a winter as cold as this one.',
    'The flat is close to the school, there is a park nearby, and the trains are good.',
    'If it rains tomorrow, the sports day will be moved to the following week.',
    'The game looks beautiful, although the missions become repetitive after a while.',
    'Delegates from both countries discussed trade for more than three hours.',
    'We watched the sun rise from the top of the mountain while the sky turned red.',
    'The service was terrible and I will never come back.',
    'Astronomers used the new telescope to photograph a very distant galaxy.',
    'My grandmother makes the best dumplings that I have ever eaten.',
    'Take one tablet three times a day, half an hour after meals.',
    'Workers are repairing the bridge that was damaged by the flood.',
    'Her new album went straight to the top of the charts.',
    'Why is the sky blue when the sunset is red?',
    'The library stays open until nine at weekends and lends out laptops for free.',
    'He spoke so quietly that the people at the back could not hear a word.',
    'Spring has come, and the willows along the river are turning green.',
    'The car has done a hundred thousand miles, and the engine has never let me down.',
    'The teacher asked us to write the ending of the story in our own words.',
    'Let us go for a walk after dinner, it is not hot outside any more.',
  ],
}

export type SampleLanguage = keyof typeof SAMPLES

/** Largest fraction of unknown tokens: above it the vocabulary is of another language. */
const MOST_UNKNOWN = 0.1

/** Largest number of tokens per word: above it the vocabulary only spells the language out, piece by piece. */
const MOST_TOKENS = 1.6
const WORD = /\p{Script=Han}|[\p{L}\p{N}]+|\p{P}/gu

/** Sample languages of a vocabulary: those with words in it; else those that it can spell. */
export function languagesOf(tokenizer: Tokenizer): SampleLanguage[] {
  const known = (Object.keys(SAMPLES) as SampleLanguage[]).flatMap((language) => {
    const ids = SAMPLES[language].flatMap((text) => tokenizer.encode(text).map(({ id }) => id))
    const words = SAMPLES[language].flatMap((text) => text.match(WORD) ?? []).length
    const unknown = ids.filter((id) => id === tokenizer.special.unk).length
    return unknown <= MOST_UNKNOWN * ids.length ? [{ language, spelt: ids.length > MOST_TOKENS * words }] : []
  })
  const own = known.filter(({ spelt }) => !spelt)
  return (own.length > 0 ? own : known).map(({ language }) => language)
}

/** A text, and the second text of its pair or null. */
export type SampleText = readonly [text: string, second: string | null]

/**
 * `count` inputs from the samples in these languages: each sentence alone, then pairs, always the same. No input
 * repeats before all pairs are used.
 */
export function sampleTexts(languages: readonly SampleLanguage[], count: number): SampleText[] {
  const sentences = languages.map((language) => SAMPLES[language])
  const most = Math.max(0, ...sentences.map(({ length }) => length))
  const texts: SampleText[] = []
  // Step 0 gives the sentences alone; step n pairs each with the one n places later.
  for (let step = 0; step < most && texts.length < count; step++)
    for (let i = 0; i < most; i++)
      for (const list of sentences) {
        const [first, second] = [list[i], list[(i + step) % list.length]]
        if (first !== undefined && texts.length < count) texts.push([first, step === 0 ? null : (second ?? null)])
      }
  return texts
}
