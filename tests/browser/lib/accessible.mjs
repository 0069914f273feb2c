// Looks at a page as somebody would who cannot see it well, or not at all.

// Lists what is wrong with the page that is open.
export async function troubles(page) {
  return page.evaluate(() => {
    const found = []
    const shown = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1
    const tell = (element, what) => found.push(`${element.tagName.toLowerCase()} "${element.innerText?.slice(0, 30)}": ${what}`)

    if (!document.documentElement.lang) found.push('no language')
    if (!document.title) found.push('no title')
    if (document.querySelectorAll('main').length !== 1) found.push('not one main landmark')
    if (document.querySelectorAll('h1').length !== 1) found.push('not one first heading')
    for (const field of document.querySelectorAll('input:not([type=hidden])')) {
      if (!field.labels?.length) tell(field, 'no label')
    }
    for (const control of document.querySelectorAll('a, button')) {
      if (shown(control) && !control.textContent.trim()) tell(control, 'no name')
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
    for (const id of ids.filter((id, place) => ids.indexOf(id) !== place)) found.push(`id ${id} twice`)
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push('scrolls sideways')

    // WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 for large text
    const channels = (color) => color.match(/[\d.]+/g).map(Number)
    const luminance = ([r, g, b]) => {
      const linear = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor)
        if (color.length === 3 || color[3] === 1) return color
      }
      return [255, 255, 255]
    }
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (words.nextNode()) {
      const element = words.currentNode.parentElement
      if (!words.currentNode.data.trim() || !shown(element)) continue
      const style = getComputedStyle(element)
      const [light, dark] = [luminance(channels(style.color)), luminance(ground(element))].sort((a, b) => b - a)
      const size = parseFloat(style.fontSize)
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      const ratio = (light + 0.05) / (dark + 0.05)
      if (ratio < (large ? 3 : 4.5)) tell(element, `contrast ${ratio.toFixed(2)}`)
    }
    return found
  })
}
