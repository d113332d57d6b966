/* A waiting room for a site without a proxy: CONVENIENCE, NOT PROTECTION.
 *
 *   <script src="/waitingroom.js" data-room="https://room.example" data-queue="default/demo"></script>
 *
 * Sends browsers without a turn to the room, and remembers, for as long as a session lasts, that a
 * browser came back from it. The page has been delivered by then: the site carries its load, and
 * whoever switches scripts off, or types a line into the console, is in. For protection put a
 * gateway in front (../nginx and its neighbours).
 *
 * When the room cannot be reached the visitor stays where he is.
 */
(() => {
	const { room, queue } = document.currentScript.dataset
	const key = `wr-until-${queue}`
	const here = new URL(location.href)

	// The room's own words, not verified: there is nobody here to be convinced.
	const claimsOf = (token) => {
		try {
			const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')
			return JSON.parse(atob(payload))
		} catch {
			return {}
		}
	}

	const pass = here.searchParams.get('wr_pass')
	if (pass !== null) {
		// Lengths of time only: a clock that is wrong must not send anybody round in circles.
		const { aud, iat, sexp } = claimsOf(pass)
		if (aud === queue) localStorage.setItem(key, Date.now() + (sexp - iat) * 1000)
		here.searchParams.delete('wr_pass')
		history.replaceState(history.state, '', here)
	}
	if (Number(localStorage.getItem(key)) > Date.now()) return

	const base64url = (text) => {
		const bytes = String.fromCharCode(...new TextEncoder().encode(text))
		return btoa(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
	}
	fetch(`${room}/queues/${queue}`, { credentials: 'omit', signal: AbortSignal.timeout(3000) })
		.then((answer) => (answer.ok ? answer.json() : { state: 'passthrough' }))
		.then(({ state }) => {
			if (state !== 'passthrough') location.replace(`${room}/q/${queue}?t=${base64url(here.href)}`)
		})
		.catch(() => {})
})()
