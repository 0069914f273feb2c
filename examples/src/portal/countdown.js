// Counts down where the page says until when. Without a script the page says how long it was when it was made.
const words = (seconds) => {
  if (seconds <= 0) return 'over'
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (number) => String(number).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)} left` : `${minutes}:${two(rest)} left`
}
const show = () => {
  for (const place of document.querySelectorAll('time[data-countdown]')) {
    const end = Date.parse(place.dateTime)
    if (!Number.isNaN(end)) place.textContent = words(Math.floor((end - Date.now()) / 1000))
  }
}
show()
setInterval(show, 1000)
